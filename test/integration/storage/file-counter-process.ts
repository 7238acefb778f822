// Child of file-processes.test.ts: raises a counter by read and ifMatch, and says so after each step.
import { pluginContext } from 'kongfallback/testing';
import file from '../../../plugins/storage/file/index.ts';
import { systemClock } from '../../../src/resilience/index.ts';

const [path = '', steps = '0'] = process.argv.slice(2);
const store = await file.create({ path, readableBy: 'owner' }, pluginContext({ clock: systemClock }));
const { signal } = new AbortController();

for (let raised = 0; raised < Number(steps); ) {
  const found = await store.get('counter', { signal });
  if (found === undefined || found === 'not-modified') throw new Error('the counter is gone');
  let value = '';
  for await (const chunk of found.body) value += Buffer.from(chunk).toString();
  const next = String(Number(value) + 1);
  try {
    await store.put('counter', new TextEncoder().encode(next), { ifMatch: found.etag, signal });
    raised++;
    process.stdout.write(`${next}\n`);
  } catch (error) {
    const { kind } = error as { kind?: string };
    if (kind !== 'conflict' && kind !== 'unavailable') throw error;
  }
}
