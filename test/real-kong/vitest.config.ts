import { defineConfig } from 'vitest/config';

// Apart from the others, since one run needs a Kong and a Postgres and takes minutes. .ci/run adds the report up.
const conditions = ['kongfallback-source', 'node', 'development'];
const results = process.env['KF_TEST_RESULTS'];
const report =
  results === undefined
    ? {}
    : { reporters: ['default', 'json'], outputFile: { json: `${results}/${process.pid}.json` } };

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    ...report,
    name: 'real-kong',
    include: ['test/real-kong/**/*.test.ts'],
    pool: 'forks',
    // Nodes of one database.
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 300_000,
  },
});
