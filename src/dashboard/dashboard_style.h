/*
 * dashboard_style.h
 *		How the dashboard's page looks.
 */
#ifndef SUPPORT_DASHBOARD_STYLE_H
#define SUPPORT_DASHBOARD_STYLE_H

extern const char dashboard_style[];

#endif							/* SUPPORT_DASHBOARD_STYLE_H */
