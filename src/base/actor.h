/*
 * actor.h
 *		Who acts, and when.
 */
#ifndef SUPPORT_ACTOR_H
#define SUPPORT_ACTOR_H

#include "fmgr.h"
#include "utils/timestamp.h"

/* How fast the clock of a client may be. */
#define MINUTES_FAST 5

extern void actor_init(void);
extern bool acting_user(int64 *user_id);
extern void check_acts_as(int64 user_id);
extern void check_may_act(int64 user_id);
extern void prove_actor(int64 user_id);
extern TimestampTz desk_now(void);
extern TimestampTz desk_clock(void);
extern bool may_have_happened(TimestampTz at);

/* The frame of a function that the desk offers: an SPI level, and the acting user for as long as it lasts. */
typedef struct Call
{
	int			nestlevel;		/* of the settings, 0 if the acting user stayed as it was */
} Call;

extern void begin_call(Call *call, FunctionCallInfo fcinfo, int actor_argument);
extern void end_call(Call *call);

#define NO_ACTOR_ARGUMENT (-1)

#endif							/* SUPPORT_ACTOR_H */
