-- Write a user's counters after a submission was admitted. The caller holds the row's lock.
UPDATE usage
   SET day_count = day_count + %(tasks)s,
       high_count = high_count + %(high)s,
       urgent_count = urgent_count + %(urgent)s,
       burst_at = greatest(burst_at, now()) + make_interval(secs => %(burst)s),
       waiting_bound = %(waiting)s
 WHERE user_id = %(user)s
