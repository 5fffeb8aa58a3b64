/*
 * install.h
 *		Making the desk in the database.
 */
#ifndef SUPPORT_INSTALL_H
#define SUPPORT_INSTALL_H

extern void say(const char *message);

#endif							/* SUPPORT_INSTALL_H */
