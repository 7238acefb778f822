/** Requests and bytes by operation, each attempt counted; for metrics, and for tests that count requests. */
export class StoreCounts {
  get = 0;
  put = 0;
  list = 0;
  delete = 0;
  bytesUp = 0;
  bytesDown = 0;

  get requests(): number {
    return this.get + this.put + this.list + this.delete;
  }
}
