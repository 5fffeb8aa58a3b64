/*
 * support_ext.h
 *		Settings that more than one file reads.
 */
#ifndef SUPPORT_EXT_H
#define SUPPORT_EXT_H

extern bool install_enabled;
extern bool use_ascii(void);

#endif							/* SUPPORT_EXT_H */
