/*
 * sla_store.h
 *		Clocks and their ledger, in the tables.
 */
#ifndef SUPPORT_SLA_STORE_H
#define SUPPORT_SLA_STORE_H

#include "sla/sla_clock.h"

extern int64 new_clock_id(void);
extern List *read_clocks(int64 ticket_id);
extern void write_clocks(const List *clocks);
extern void note_event(Ledger *ledger, const Clock *clock, const SlaEvent *event);
extern void write_ledger(Ledger *ledger);
extern void write_pending(Ledger *ledger);

#endif							/* SUPPORT_SLA_STORE_H */
