/* The transactions that end an attempt, and those under lane locks. */

/* --- finish.sql: the first transaction ------------------------------------------------------------------------------ */

#define GOOD 0     /* the work is complete */
#define BAD 1      /* failed, died, lost: charged */
#define RETURNED 2 /* free of charge */
#define STARTED 3  /* waits for tasks that it has started, which are inserted in the same transaction */

#ifdef BROKEN_NO_TOKEN
#define fence(t, k) (db.status[t] == RUNNING)
#else
#define fence(t, k) (db.status[t] == RUNNING && db.token[t] == k)
#endif

#ifdef BROKEN_FINISH_ASYNCHRONOUS
#define can_finish(t) (!row_locked[t])
#define commit_finish() commit_asynchronously()
#else
#define can_finish(t) (!row_locked[t] && can_get_durable)
#define commit_finish() skip
#endif

#ifdef BROKEN_FAILURES_FREE_OF_CHARGE
#define charge(f) skip
#define may_fail true
#define count_failure() skip
#else
#define charge(f) db.charged[f] = db.charged[f] + 1
#define may_fail (faults > 0)
#define count_failure() faults--
#endif

inline finish(me, how, done) {
  commit_finish();
  d_step {
    f = held_task[me] - 1;
    k = held_token[me];
    done = false;
    if
    :: fence(f, k) ->
      assert(!(db.recorded[f] & bit_of(k))); /* no attempt is recorded twice */
      db.recorded[f] = db.recorded[f] | bit_of(k);
      if
      :: how == GOOD -> MOVE_finish_succeeded(f, k)
      :: how != GOOD && db.cancel[f] -> MOVE_finish_cancelled(f, k)
      :: how == BAD && !db.cancel[f] ->
        charge(f);
        if
        :: db.charged[f] < attempts(f) -> MOVE_finish_scheduled(f, k)
        :: else -> MOVE_finish_failed(f, k)
        fi
      :: how == RETURNED && !db.cancel[f] -> MOVE_finish_scheduled(f, k)
#ifdef STARTER
      :: how == STARTED && !db.cancel[f] ->
        MOVE_submit_held(1, 0);
        MOVE_submit_held(2, 0);
        db.marked[1] = 1;
        db.marked[2] = 1;
        acked[1] = 1;
        acked[2] = 1;
        late[f] = 0;
        MOVE_finish_waiting(f, k)
#endif
      fi;
      db.token[f] = 0;
      done = true
    :: else
    fi;
    f = 0;
    k = 0;
    check()
  }
}

/* --- The transactions under lane locks ------------------------------------------------------------------------------ */

#define SETTLE 1     /* settle.sql, depend.sql, fill.sql for the attempt of this token */
#define SETTLE_END 2 /* the same for a settlement without a slot */
#define DUE 3        /* due.sql, fill.sql */
#define RELEASE 4    /* release.sql, fill.sql */
#define FILL 5       /* fill.sql */
#define HOLD 6       /* hold.sql, fill.sql */

#define broken_by(d, u) (needs(d, u) && !any_end(d) && db.status[u] > SUCCEEDED)
#define broken(d) (broken_by(d, 0) || broken_by(d, 1) || broken_by(d, 2))
#define open_need(d, u) (needs(d, u) && exists(u) && !ended(u))
#define is_open(d) (open_need(d, 0) || open_need(d, 1) || open_need(d, 2))

#ifdef BROKEN_COUNTED_DOWN
#define still_open(d) (db.open[d] > 0)
#else
#define still_open(d) is_open(d)
#endif

/* depend.sql for one task that waits: looked at anew. */
#define depend(t, d) \
  if \
  :: needs(d, t) && db.status[d] == WAITING && (lanes & (1 << lane(d))) -> \
    count_down(d); \
    if \
    :: broken(d) -> MOVE_depend_failed(d, 0) \
    :: !broken(d) && !still_open(d) -> \
      assert(!is_open(d)); /* nothing is let go before all that it needs has ended */ \
      if :: starts_later(d) -> MOVE_depend_scheduled(d, 0) :: else -> MOVE_depend_held(d, 0) fi \
    :: else \
    fi \
  :: else \
  fi
#ifdef BROKEN_COUNTED_DOWN
#define count_down(d) db.open[d] = db.open[d] - 1
#else
#define count_down(d) skip
#endif

/* release.sql: whoever is cancelled takes along what it has started. */
#define release(t) \
  if \
  :: db.cancel[t] && db.status[t] == WAITING -> MOVE_release_waiting_cancelled(t, 0) \
  :: db.cancel[t] && db.status[t] == SCHEDULED -> MOVE_release_scheduled_cancelled(t, 0) \
  :: db.cancel[t] && db.status[t] == HELD -> MOVE_release_held_cancelled(t, 0) \
  :: db.cancel[t] && db.status[t] == READY -> MOVE_release_ready_cancelled(t, 0) \
  :: !db.cancel[t] && db.status[t] == WAITING -> MOVE_release_waiting_expired(t, 0) \
  :: !db.cancel[t] && db.status[t] == SCHEDULED -> MOVE_release_scheduled_expired(t, 0) \
  :: !db.cancel[t] && db.status[t] == HELD -> MOVE_release_held_expired(t, 0) \
  :: !db.cancel[t] && db.status[t] == READY -> MOVE_release_ready_expired(t, 0) \
  fi; \
  if \
  :: is_child(1) && t == 0 -> \
    if :: exists(1) && !ended(1) -> db.cancel[1] = 1 :: else fi; \
    if :: exists(2) && !ended(2) -> db.cancel[2] = 1 :: else fi \
  :: else \
  fi

#ifdef BROKEN_SETTLED_TWICE
#define is_owed(t, k) true
#else
#define is_owed(t, k) (db.owed[t] & bit_of(k))
#endif

#define settle(t, k) \
  if \
  :: is_owed(t, k) -> \
    printf("by %d: task %d is settled\n", _pid, t); \
    looks = (db.look[t] & bit_of(k)) != 0; \
    db.owed[t] = db.owed[t] & ~bit_of(k); \
    db.look[t] = db.look[t] & ~bit_of(k); \
    db.taken[lane(t)] = db.taken[lane(t)] - 1; \
    if :: lane(t) == 0 -> seen0-- :: else -> seen1-- fi \
  :: else \
  fi

#define waiting_lane(t, d) ((needs(d, t) && db.status[d] == WAITING) << lane(d))
#define lanes_of_dependents(t) (waiting_lane(t, 0) | waiting_lane(t, 1) | waiting_lane(t, 2))

#define has_room(l) (lanes & (1 << l)) && (l == 0 && seen0 < SLOTS || l == 1 && seen1 < SLOTS)
#define may_fill(t, l) (lane(t) == l && db.status[t] == HELD && !db.cancel[t])
/* fill.sql: one of those that are held, in whatever order they stand in the lane. */
inline fill(l) {
  if
  :: has_room(l) && may_fill(0, l) -> MOVE_fill(0, 0)
  :: has_room(l) && may_fill(1, l) -> MOVE_fill(1, 0)
  :: has_room(l) && may_fill(2, l) -> MOVE_fill(2, 0)
  :: else
  fi
}

#ifdef BROKEN_NO_LANE_LOCK
#define is_free(l) true
#else
#define is_free(l) (holder[l] == 0)
#endif

/* In which order: by id; broken, the task's own lane first. */
#ifdef BROKEN_OWN_LANE_FIRST
#define comes_before(l) (l == lane(t) || !(todo & (1 << lane(t))))
#else
#define comes_before(l) (l == 0 || !(todo & 1))
#endif

#define look_at(l) if :: l == 0 -> seen0 = db.taken[0] :: else -> seen1 = db.taken[1] fi
#ifdef BROKEN_LOOKED_BEFORE_THE_LOCK
#define look_after_lock(l) skip
#define look_before() seen0 = db.taken[0]; seen1 = db.taken[1]
#else
#define look_after_lock(l) look_at(l)
#define look_before() skip
#endif

#define unlock(l) if :: holder[l] == me + 1 -> holder[l] = 0 :: else fi

inline lock(l) {
  atomic {
    (todo & (1 << l)) && comes_before(l) && is_free(l) ->
    holder[l] = me + 1;
    look_after_lock(l);
    printf("by %d: lane %d is locked\n", _pid, l);
    todo = todo & ~(1 << l)
  }
}

/* What it was about is forgotten with it. */
inline end_transaction() {
  drop_token(me);
  t = 0; kind = 0; todo = 0; lanes = 0; seen0 = 0; seen1 = 0; looks = false; session[me] = NONE
}

/* Before it: which lanes to lock, by dependent_lanes.sql without any lock. */
inline begin_transaction() {
  session[me] = OPEN;
  lanes = 1 << lane(t);
  if
  :: kind == SETTLE && (db.look[t] & bit_of(held_token[me])) || kind == SETTLE_END -> lanes = lanes | lanes_of_dependents(t)
  :: else
  fi;
  todo = lanes;
  look_before()
}

/* locked_lanes, _pipelined_lanes, one_trip: lock the lanes in id order, look, write, commit asynchronously. */
inline lane_transaction() {
  {
    do
    :: lock(0)
    :: lock(1)
    :: atomic {
        todo == 0 && !row_locked[0] && !row_locked[1] && !row_locked[2] ->
        commit_asynchronously();
        d_step {
          if
          :: kind == SETTLE -> settle(t, held_token[me])
          :: kind == SETTLE_END -> looks = db.slotless[t]; db.slotless[t] = 0
          :: kind == DUE && db.status[t] == SCHEDULED && !db.cancel[t] -> MOVE_due(t, 0)
          :: kind == RELEASE && unstarted(t) && (db.cancel[t] || late[t]) ->
            if
            :: db.status[t] == READY && lane(t) == 0 -> seen0--
            :: db.status[t] == READY && lane(t) == 1 -> seen1--
            :: else
            fi;
            release(t)
          :: kind == HOLD && db.status[t] == READY && faults > 0 ->
            faults--;
            if :: lane(t) == 0 -> seen0-- :: else -> seen1-- fi;
            MOVE_hold(t, 0)
          :: else
          fi;
          if
          :: looks -> depend(t, 0); depend(t, 1); depend(t, 2)
          :: else
          fi
        }
        fill(0);
        fill(1);
        d_step {
          unlock(0);
          unlock(1);
          end_transaction();
          check()
        }
        break
      }
    od
  } unless {
    atomic { session[me] == BROKEN -> end_transaction() }
  }
}
