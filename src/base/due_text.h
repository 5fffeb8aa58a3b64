/*
 * due_text.h
 *		How long until a deadline, or since, as people read it.
 */
#ifndef SUPPORT_DUE_TEXT_H
#define SUPPORT_DUE_TEXT_H

#include "datatype/timestamp.h"

extern char *span_text(TimestampTz from_at, TimestampTz to_at);
extern char *due_text(TimestampTz due_at);

#endif							/* SUPPORT_DUE_TEXT_H */
