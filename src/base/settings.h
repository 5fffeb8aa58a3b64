/*
 * settings.h
 *		Settings of the desk: what its owner decides for all.
 */
#ifndef SUPPORT_SETTINGS_H
#define SUPPORT_SETTINGS_H

#include "utils/timestamp.h"

#include "base/row.h"

/* What becomes of a partition of the log that is older than the retention. */
typedef enum RetentionAction
{
	RETENTION_DETACH,
	RETENTION_ARCHIVE,
	RETENTION_DROP
} RetentionAction;

#define ARCHIVE_SCHEMA "support_archive"

extern const DeskTable settings_table;

extern void check_setting_row(const Row *row);
extern int64 max_attachment_size(void);
extern Interval *retention(void);
extern RetentionAction retention_action(void);

#endif							/* SUPPORT_SETTINGS_H */
