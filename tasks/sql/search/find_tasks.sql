-- The newest tasks of an owner that have all words of a query, between two ids. Each stored word begins with its owner and the
-- span of time that its id begins with (5 digits: three days), so a span at a time is looked into, the newest first, until there
-- are enough: what others have, and what is older, is not read.
-- No plan looks behind OFFSET 0: the words are looked up by their index, whatever is believed of how many there are.
-- Locks: nothing. Index: search_entry_owner, an entry a span; search_entry_words.
WITH RECURSIVE span AS (
    (SELECT left(entry.task_id::text, 5) AS digits
       FROM search_entry AS entry
      WHERE entry.owner_id = %(owner)s AND entry.task_id < %(before)s AND entry.task_id >= %(since)s
      ORDER BY entry.task_id DESC
      LIMIT 1)
    UNION ALL
    SELECT earlier.digits
      FROM span
     CROSS JOIN LATERAL (
           SELECT left(entry.task_id::text, 5) AS digits
             FROM search_entry AS entry
            WHERE entry.owner_id = %(owner)s
              AND entry.task_id < (span.digits || '000-0000-0000-0000-000000000000')::uuid
              AND entry.task_id >= %(since)s
            ORDER BY entry.task_id DESC
            LIMIT 1) AS earlier
)
SELECT hit.task_id
  FROM span
 CROSS JOIN LATERAL (
       SELECT found.task_id
         FROM (SELECT entry.task_id
                 FROM search_entry AS entry
                WHERE entry.words @@ replace(%(query)s::text, '§', %(owner)s || '.' || span.digits || '.')::tsquery
               OFFSET 0) AS found
        WHERE found.task_id < %(before)s AND found.task_id >= %(since)s
        ORDER BY found.task_id DESC
        LIMIT %(limit)s) AS hit
 LIMIT %(limit)s
