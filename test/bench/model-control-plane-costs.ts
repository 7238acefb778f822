// What a real 3.9.3 control plane with 15,000 entities was recorded to spend (one nginx worker or four, 0.8 MB frame).

/** One worker's time for an export of the database: 22 s for 50 of them, 1.64 s for four of them and 60 answers. */
export const EXPORT_MS = 400;
/** Exports of one worker go on side by side, a piece of each in turn: it takes one connection more in each turn. */
export const EXPORT_PIECES = 300;
/** For a configuration that is there already: 2.1 s for 500. */
export const ANSWER_MS = 4;
/** Held by an export while it goes on: 9 GB with 500 data planes, of which some 300 came while it exported. */
export const EXPORT_MB = 29;
/** Of a worker, 60 data planes included. */
export const WORKER_MB = 115;
export const DATA_PLANE_MB = 0.85;
