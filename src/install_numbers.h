/*
 * install_numbers.h
 *		The sequence that ticket numbers are drawn from.
 */
#ifndef SUPPORT_INSTALL_NUMBERS_H
#define SUPPORT_INSTALL_NUMBERS_H

extern bool has_numbers(void);
extern void go_on_numbering(void);
extern void tie_numbers(void);

#endif							/* SUPPORT_INSTALL_NUMBERS_H */
