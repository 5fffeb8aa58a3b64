/*
 * fold_wait.h
 *		Who stands in the way of a fold.
 */
#ifndef SUPPORT_FOLD_WAIT_H
#define SUPPORT_FOLD_WAIT_H

extern void tell_who_holds(Oid relid);

#endif							/* SUPPORT_FOLD_WAIT_H */
