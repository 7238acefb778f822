import { defineConfig } from 'vitest/config';

// The source condition comes first, so that tests and plugins load `kongfallback/*` from src without a build.
const conditions = ['kongfallback-source', 'node', 'development'];

const project = (name: string, include: string[], testTimeout: number) => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { name, include, testTimeout, hookTimeout: testTimeout, pool: 'forks' as const },
});

// .ci/run adds the reports up.
const results = process.env['KF_TEST_RESULTS'];
const report =
  results === undefined
    ? {}
    : {
        reporters: ['default', 'json'],
        outputFile: { json: `${results}/${process.pid}.json` },
      };

export default defineConfig({
  test: {
    ...report,
    projects: [
      project('unit', ['test/unit/**/*.test.ts'], 20_000),
      project('contract', ['test/contract/**/*.test.ts'], 60_000),
      project('docs', ['test/docs/**/*.test.ts'], 60_000),
      project('integration', ['test/integration/**/*.test.ts'], 180_000),
      project('fault', ['test/fault/**/*.test.ts'], 600_000),
      project('e2e', ['test/e2e/**/*.test.ts'], 180_000),
    ],
  },
});
