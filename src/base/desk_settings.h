/*
 * desk_settings.h
 *		Settings of the desk: what its owner decides for all.
 */
#ifndef SUPPORT_DESK_SETTINGS_H
#define SUPPORT_DESK_SETTINGS_H

#include "utils/timestamp.h"

/* What becomes of a partition of the log that is older than the retention. */
typedef enum RetentionAction
{
	RETENTION_DETACH,
	RETENTION_ARCHIVE,
	RETENTION_DROP
} RetentionAction;

#define ARCHIVE_SCHEMA "support_archive"

/* What nobody can set as a limit of texts, in bytes: for fewer none need be looked up. */
#define SMALL_VALUE (64 * 1024)

extern void desk_settings_init(void);
extern int64 max_attachment_size(void);
extern int64 max_custom_size(void);
extern int64 max_text_size(void);
extern Interval *retention(void);
extern RetentionAction retention_action(void);

#endif							/* SUPPORT_DESK_SETTINGS_H */
