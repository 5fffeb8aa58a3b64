/*
 * number_text.h
 *		Numbers as people read them.
 */
#ifndef SUPPORT_NUMBER_TEXT_H
#define SUPPORT_NUMBER_TEXT_H

extern char *count_text(double count);
extern char *duration_text(double seconds);
extern char *brief_duration_text(double seconds);

#endif							/* SUPPORT_NUMBER_TEXT_H */
