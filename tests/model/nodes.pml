/* What nodes do: workers, and the upkeep of one node. */

/* --- Workers -------------------------------------------------------------------------------------------------------- */

#define is_claimable(t) (db.status[t] == READY && !db.cancel[t] && !late[t] && !row_locked[t])

/* claim.sql: any of those that are ready, whatever their ranks; asynchronous. */
inline claim(w) {
  commit_asynchronously();
  d_step {
    assert(any_end(t) || !broken(t) && !is_open(t)); /* nothing runs before what it needs has ended */
    new_token(t, k);
    MOVE_claim(t, k);
    db.token[t] = k;
    held_task[w] = t + 1;
    held_token[w] = k;
    k = 0;
    check()
  }
}

/* After it: the worker settles what it has recorded, unless it was superseded, died, or its second transaction was lost. */
inline finish_and_go_on(how) {
  finish(me, how, done);
  if
  :: done -> done = false; kind = SETTLE; begin_transaction()
  :: true -> done = false; drop_token(me); t = 0
  fi
}

proctype Worker(byte me) {
  byte t, k, f, dropped, kind, todo, lanes, seen0, seen1;
  bool looks, done;
end:
  do
  :: atomic { is_claimable(0) -> t = 0; claim(me) } goto running
  :: atomic { is_claimable(1) -> t = 1; claim(me) } goto running
  :: atomic { is_claimable(2) -> t = 2; claim(me) } goto running
  od;
running:
  if
  :: atomic { may_break -> faults--; drop_token(me); t = 0 } goto end
  :: atomic { can_finish(t) -> finish_and_go_on(GOOD) }
  :: atomic { can_finish(t) && may_fail -> count_failure(); finish_and_go_on(BAD) }
#ifdef STARTER
  :: atomic { can_finish(t) && t == 0 && !exists(1) -> finish_and_go_on(STARTED) }
#endif
  fi;
  if
  :: kind == SETTLE -> lane_transaction()
  :: else
  fi;
  goto end
}

/* --- Upkeep: sweep.py, recover.py ----------------------------------------------------------------------------------- */

#define is_due(t) (db.status[t] == SCHEDULED && !db.cancel[t])
#define is_to_end(t) (unstarted(t) && (db.cancel[t] || late[t]))
#define is_idle(t) (db.status[t] == HELD && !db.cancel[t] && db.taken[lane(t)] < SLOTS)
#define is_unknown(t) (db.status[t] == RUNNING && !is_held(t, db.token[t]))
#define is_frozen(t) (db.status[t] == RUNNING && may_break && (holds_token(0, t, db.token[t]) || holds_token(1, t, db.token[t])))

#define FIND(wanted, what) \
  :: d_step { wanted(0) -> t = 0; kind = what; begin_transaction() } goto act \
  :: d_step { wanted(1) -> t = 1; kind = what; begin_transaction() } goto act \
  :: d_step { wanted(2) -> t = 2; kind = what; begin_transaction() } goto act
#define FIND_OWED(k_) \
  :: d_step { is_owing(0, k_) -> t = 0; note(0, k_); kind = SETTLE; begin_transaction() } goto act \
  :: d_step { is_owing(1, k_) -> t = 1; note(1, k_); kind = SETTLE; begin_transaction() } goto act \
  :: d_step { is_owing(2, k_) -> t = 2; note(2, k_); kind = SETTLE; begin_transaction() } goto act
#define FIND_LOST(t_) \
  :: d_step { is_unknown(t_) -> note(t_, db.token[t_]) } goto recover \
  :: d_step { is_frozen(t_) -> faults--; note(t_, db.token[t_]) } goto recover

#ifdef BROKEN_NO_SWEEP
#define is_owing(t, k) false
#else
#define is_owing(t, k) (db.owed[t] & bit_of(k))
#endif
#define is_end_owed(t) (db.slotless[t])
#define is_held_again(t) (may_break && db.status[t] == READY)

#define note(t_, k_) held_task[UPKEEP] = t_ + 1; held_token[UPKEEP] = k_

proctype Upkeep(byte me) {
  byte t, k, f, dropped, kind, todo, lanes, seen0, seen1;
  bool looks, done;
end:
  do
  FIND_LOST(0)
  FIND_LOST(1)
  FIND_LOST(2)
  FIND_OWED(1)
  FIND_OWED(2)
  FIND_OWED(3)
  FIND_OWED(4)
  FIND(is_end_owed, SETTLE_END)
  FIND(is_due, DUE)
  FIND(is_to_end, RELEASE)
  FIND(is_idle, FILL)
  FIND(is_held_again, HOLD)
  od;
act:
  lane_transaction();
  goto end;
recover:
  if
  :: atomic { can_finish(held_task[me] - 1) -> finish(me, BAD, done); drop_token(me); done = false }
  :: atomic { can_finish(held_task[me] - 1) -> finish(me, RETURNED, done); drop_token(me); done = false }
  fi;
  goto end
}
