/** Milliseconds of the clock that all processes of a machine share. */
export const sharedNow = (): number => Number(process.hrtime.bigint() / 1000n) / 1000;
