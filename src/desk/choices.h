/*
 * choices.h
 *		Columns that take one of a few values, and custom fields.
 */
#ifndef SUPPORT_CHOICES_H
#define SUPPORT_CHOICES_H

extern bool is_role(const char *role);
extern void choices_init(void);

#endif							/* SUPPORT_CHOICES_H */
