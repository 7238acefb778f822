// The whole story with nothing but Node: real processes, mutual TLS, Kong's protocol, and what a real Kong 3.9 sent.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CliResult, runCli } from '../e2e/cli.ts';
import { Site } from '../e2e/site.ts';
import { recordedDocument } from '../stand-in/frames.ts';
import { type ControlPlaneFiles, ControlPlaneProcess } from './control-plane.ts';
import { Outage } from './outage.ts';
import { hold, Story } from './story.ts';

const story = new Story();
const site = new Site({
  // One control plane with one worker, and a change after the first export has ended: no margin is needed to tell
  // which is newer, and a fast machine would fall within it.
  settings: { export: { evidenceMarginSeconds: 0 }, log: { level: 'error' }, relay: Outage.RELAY },
});
const path = (name: string) => join(site.directory, name);
let controlPlane: ControlPlaneProcess | undefined;
let outage: Outage | undefined;
let endCommand = (_signal: NodeJS.Signals): void => {};

async function command(...args: string[]): Promise<CliResult> {
  const onStart = (kill: typeof endCommand) => {
    endCommand = kill;
  };
  const result = await runCli([...args, '--json'], { cwd: site.directory, onStart });
  hold(
    result.code === 0,
    `kongfallback ${args.join(' ')} exits 0; it said:\n${result.stderr}${result.stdout}`,
  );
  return result;
}

function firstLine(result: CliResult): Record<string, unknown> {
  return (result.json()['lines'] as Record<string, unknown>[])[0] ?? {};
}

try {
  const original = recordedDocument('mixed');
  // The same configuration after somebody renamed a tag through the Admin API.
  const changed = Buffer.from(JSON.stringify(renamed(JSON.parse(original.toString()))));
  writeFileSync(path('original.json'), original);
  writeFileSync(path('changed.json'), changed);
  const files: ControlPlaneFiles = {
    certificate: path('cluster.crt'),
    key: path('cluster.key'),
    document: path('original.json'),
  };

  controlPlane = await story.step('a control plane is up, with the configuration of a real Kong 3.9', () =>
    ControlPlaneProcess.start(files),
  );
  const { port } = controlPlane;
  site.pointAt(port);

  const first = await story.step(
    'the backup node exports it: validated, encrypted, signed, into a directory',
    () => command('export', '--once'),
  );
  hold(firstLine(first)['outcome'] === 'published', 'the first configuration is published');
  story.note(`sequence ${firstLine(first)['sequence']}, ${firstLine(first)['sealedBytes']} bytes sealed`);

  controlPlane.change(path('changed.json'));
  const again = await story.step('the configuration changes, and is exported again', () =>
    command('export', '--once'),
  );
  const second = firstLine(again);
  hold(second['outcome'] === 'published', 'the change is published');
  hold(
    (second['sequence'] as number) > (firstLine(first)['sequence'] as number),
    'the sequence grows with the change',
  );
  story.note(`sequence ${second['sequence']}`);

  await story.step('the control plane is killed', () => (controlPlane as ControlPlaneProcess).kill());

  const restored = await story.step('a new node finds no control plane and bootstraps from storage', () =>
    command('bootstrap', '--once'),
  );
  const outcome = restored.json();
  hold(outcome['origin'] === 'storage', 'the origin is storage');
  hold(outcome['authenticated'] === true, 'the head is signed by the trusted key');
  hold(
    readFileSync(site.target).equals(changed),
    'the file is byte for byte what the control plane sent last',
  );
  story.note(`applied ${outcome['applied']}`);

  const startAgain = () => ControlPlaneProcess.start({ ...files, document: path('changed.json') }, port);
  controlPlane = await story.step('the control plane is back', startAgain);
  const back = await story.step('another new node finds it', () => command('bootstrap', '--once'));
  hold(back.json()['origin'] === 'control-plane', 'the origin is the control plane');
  story.note('origin: control-plane');

  outage = new Outage(story, site, changed);
  await outage.begin(controlPlane);
  await story.step('the control plane is killed', () => (controlPlane as ControlPlaneProcess).kill());
  await outage.during();
  controlPlane = await story.step('the control plane is back', startAgain);
  await outage.over(controlPlane);

  const counts = Object.entries(outcome['counts'] as Record<string, number>);
  const entities = counts.map(([name, count]) => `${count} ${name}`).join(', ');
  story.end(`applied: ${outcome['applied']}\nentities: ${entities}\norigin: ${outcome['origin']}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  endCommand('SIGKILL');
  await outage?.end();
  await controlPlane?.kill();
  // The applied file stays for whoever wants to look at it.
  if (process.exitCode !== 1 && process.env['CI'] !== undefined) site.remove();
}

function renamed(table: { services: { tags: string[] | null }[] }): object {
  const [service] = table.services;
  if (service !== undefined) service.tags = ['renamed-in-the-quickstart'];
  return table;
}
