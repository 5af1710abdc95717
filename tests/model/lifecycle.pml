/* The lifecycle, small: three tasks, two lanes of one slot, two workers, one node's upkeep, a client, a person, a crash.
 *
 * docs/model.md says what is left out and why that is sound, and which file each step stands for. One of JOIN, CHAIN and
 * STARTER is defined: how the tasks depend on each other. `BROKEN_…` takes one mechanism out; run.py wants a counterexample.
 */
#include "moves.h"

#define TASKS 3
#define LANES 2
#define SLOTS 1
#define attempts(t) (t == 0 -> 1 : 2)

#ifdef JOIN /* two tasks compete for the slot of lane 0; a third, in lane 1, needs both */
#define lane(t) (t == 2)
#define needs(t, u) (t == 2 && u != 2)
#define any_end(t) false
#define starts_later(t) false
#define is_child(t) false
#endif
#ifdef CHAIN /* lane 0, lane 1, lane 0: their ends lock the lanes crosswise; the last one is for later */
#define lane(t) (t == 1)
#define needs(t, u) (u + 1 == t)
#define any_end(t) false
#define starts_later(t) (t == 2)
#define is_child(t) false
#endif
#ifdef STARTER /* the first one, for later, starts the others and goes on when they have ended */
#define lane(t) (t == 2)
#define needs(t, u) (t == 0 && u != 0)
#define any_end(t) true
#define starts_later(t) (t == 0)
#define is_child(t) (t != 0)
#endif

/* How many things go wrong, or come in between, of whatever kind: a handler fails, a worker dies, one is taken for dead, the
 * database crashes, somebody cancels, a time passes, somebody retries, an operator pauses. */
#ifndef FAULTS
#define FAULTS 2
#endif

/* Without what breaks: handlers fail and people act, which makes room for one more of those. */
#ifdef NOTHING_BREAKS
#define may_break false
#else
#define may_break (faults > 0)
#endif

#include "database.pml"
#include "transactions.pml"
#include "nodes.pml"
#include "people.pml"

/* --- The database's crash, and the end ------------------------------------------------------------------------------ */

#define break_session(p) if :: session[p] == OPEN -> session[p] = BROKEN :: else fi
#define keeps(t) (db.status[t] != SUCCEEDED || saved.status[t] == SUCCEEDED)

proctype Crash() {
end:
  do
  :: d_step {
      doomed || may_break ->
      printf("the database crashes\n");
      if
      :: doomed ->
        assert(keeps(0) && keeps(1) && keeps(2)); /* what succeeded stays so */
        copy_all(db, saved);
        forget(saved, 0); forget(saved, 1); forget(saved, 2);
        saved.taken[0] = 0; saved.taken[1] = 0;
        doomed = 0
      :: else -> faults--
      fi;
      holder[0] = 0; holder[1] = 0;
      row_locked[0] = 0; row_locked[1] = 0; row_locked[2] = 0;
      break_session(0); break_session(1); break_session(UPKEEP); break_session(CLIENT);
      check()
    }
  od
}

#define is_over(t) ((!exists(t) || ended(t)) && !db.owed[t] && !db.slotless[t])

/* Nothing more can happen: then all has ended. With a lane still locked it is a deadlock, which spin finds itself. */
proctype Quiet() {
  timeout && holder[0] == 0 && holder[1] == 0 ->
  assert(is_over(0) && is_over(1) && is_over(2));
  assert(db.taken[0] == 0 && db.taken[1] == 0)
}

init {
  c_code { atexit(tell_moves); }
  atomic { run Worker(0); run Worker(1); run Upkeep(UPKEEP); run Client(); run Person(); run Crash(); run Quiet() }
}
