/*
 * figures.h
 *		Numbers as people read them.
 */
#ifndef SUPPORT_FIGURES_H
#define SUPPORT_FIGURES_H

extern char *count_text(double count);
extern char *duration_text(double seconds);
extern char *brief_duration_text(double seconds);

#endif							/* SUPPORT_FIGURES_H */
