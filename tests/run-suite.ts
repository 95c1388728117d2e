/**
 * `npm test`: every test file in a process of its own, three at a time. Files that start whole monitors come first: they take longest,
 * and would else run alone at the end. One Kafka broker serves all files. `npm test -- infra/log pipeline/writer` runs those whose path
 * begins with one of the words. What kills processes and brokers by the dozen is in tests/faults, and runs by `npm run test:faults` alone.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from 'node:test'
import { spec, tap } from 'node:test/reporters'
import { brokerMissing, sharedAddress, startBroker } from '../infra/log/broker.fixture.ts'
import { packageRoot } from '../infra/package-root.ts'

/** Two cores are busy while a third file waits for a child or a timer. */
const concurrency = 3

const faults = join('tests', 'faults')

function testFiles(wanted: readonly string[]): string[] {
  const build = join(packageRoot, 'dist')
  const files = readdirSync(build, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) =>
      wanted.length === 0
        ? !name.startsWith(faults)
        : wanted.some((start) => name.startsWith(start)),
    )
    .toSorted()
  const ofWholeMonitors = (name: string): boolean => name.startsWith('tests')
  return [...files.filter(ofWholeMonitors), ...files.filter((name) => !ofWholeMonitors(name))].map(
    (name) => join(build, name),
  )
}

const usesBroker = (file: string): boolean => readFileSync(file, 'utf8').includes('sharedBroker')

async function runAll(wanted: readonly string[]): Promise<void> {
  const files = testFiles(wanted)
  const sharing = files.some(usesBroker)
  const missing = brokerMissing()
  const broker = sharing && missing === false ? await startBroker() : undefined
  // biome-ignore lint/style/noProcessEnv: the one way to tell every test process
  if (broker !== undefined) process.env[sharedAddress] = broker.address
  const report = run({ files, concurrency }).on('test:fail', () => {
    process.exitCode = 1
  })
  const written = process.stdout.isTTY ? report.compose(new spec()) : report.compose(tap)
  for await (const text of written) process.stdout.write(text)
  if (sharing && missing !== false)
    process.stderr.write(`Tests on a real broker were skipped: ${missing}\n`)
  await broker?.stop()
}

await runAll(process.argv.slice(2))
