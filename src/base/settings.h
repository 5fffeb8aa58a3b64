/*
 * settings.h
 *		What a session sets for itself.
 */
#ifndef SUPPORT_SETTINGS_H
#define SUPPORT_SETTINGS_H

#include "utils/timestamp.h"

/* The acting user as a setting: 0 for none, and the role at hand when it was set, or as the session began. */
typedef struct ActorSetting
{
	int64		user_id;
	Oid			set_by;
} ActorSetting;

/* The desk's clock as a setting. */
typedef struct ClockSetting
{
	bool		is_set;
	TimestampTz now;
} ClockSetting;

extern ActorSetting actor_setting;
extern ClockSetting clock_setting;
extern bool install_enabled;
extern bool notify_changes;
extern int	fold_every;			/* rows of stat_deltas that may wait until who writes adds them up; 0 is never */
extern char *ticket_prefix;

extern void settings_init(void);
extern void set_actor_setting(int64 user_id, bool is_local);
extern void set_actor_for_call(int64 user_id);
extern bool use_ascii(void);

#endif							/* SUPPORT_SETTINGS_H */
