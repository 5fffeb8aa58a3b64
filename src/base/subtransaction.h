/*
 * subtransaction.h
 *		Work in a subtransaction.
 */
#ifndef SUPPORT_SUBTRANSACTION_H
#define SUPPORT_SUBTRANSACTION_H

typedef void (*Work) (void *arg);

extern ErrorData *attempt(Work work, void *arg);
extern ErrorData *attempt_spare(Work work, void *arg);
extern bool attempt_lock(Work work, void *arg);
extern void rehearse(Work work, void *arg);

#endif							/* SUPPORT_SUBTRANSACTION_H */
