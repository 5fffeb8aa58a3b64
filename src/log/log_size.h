/*
 * log_size.h
 *		How much an entry of the audit log holds.
 */
#ifndef SUPPORT_LOG_SIZE_H
#define SUPPORT_LOG_SIZE_H

#include "base/row.h"

extern bool may_be_too_large(const Row *row);
extern void check_image_size(const char *table_name, Datum image);
extern void check_entry_size(const char *table_name, Datum old_value, Datum new_value);
extern void check_event_size(const char *column, Datum value);

#endif							/* SUPPORT_LOG_SIZE_H */
