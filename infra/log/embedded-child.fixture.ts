/**
 * A process for the tests to kill or to starve: `node embedded-child.fixture.js MODE FOLDER`.
 *
 * `append`: appends numbered records for ever; prints `partition offset number` for each one acknowledged.
 * `fill`: appends until it is refused, then a little more; prints one JSON document of what it saw.
 * `hold`: opens the folder, prints `open`, and stays until its input ends.
 */
import { systemClock } from '../clock.ts'
import { AppError } from '../errors.ts'
import { silentLogger } from '../logger.ts'
import { createEmbeddedLog } from './embedded.ts'
import type { EmbeddedLog } from './embedded-log.ts'
import { numbered } from './log.fixture.ts'

const topic = 'posts'
const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** Of a number, so that the parent knows what must stand at its offset. */
export const numberedValue = (number: number): string =>
  `${number} ${'x'.repeat((number * 37) % 900)}`

async function append(log: EmbeddedLog, first: number): Promise<void> {
  let next = first
  const caller = async (size: number): Promise<void> => {
    for (;;) {
      const numbers = Array.from({ length: size }, () => next++)
      const records = numbers.map((number) => ({ key: `k${number}`, value: numberedValue(number) }))
      const positions = await log.append(topic, records)
      positions.forEach(({ partition, offset }, i) => {
        print(`${partition} ${offset} ${numbers[i]}`)
      })
    }
  }
  const consumer = await log.consume(
    { topics: [topic], group: 'reader', startAt: async () => 0 },
    ({ partition, next: done }) => consumer.commit(topic, partition, done),
  )
  await Promise.all([caller(1), caller(7), caller(60)])
}

async function fill(log: EmbeddedLog): Promise<void> {
  const value = Buffer.alloc(200_000, 'x')
  const codes: string[] = []
  let acknowledged = 0
  while (!codes.includes('DISK_FULL') && codes.length < 20) {
    try {
      await log.append(topic, [{ key: null, value }])
      acknowledged += 1
    } catch (error) {
      codes.push(error instanceof AppError ? error.code : String(error))
    }
  }
  await log.append(topic, numbered(3)) // little enough for the room inside the data file
  acknowledged += 3
  print(JSON.stringify({ codes, acknowledged, ends: await log.endOffsets(topic) }))
  await log.close()
}

async function main([mode, path = '', first = '0']: readonly string[]): Promise<void> {
  const log = createEmbeddedLog({ path, clock: systemClock, logger: silentLogger })
  await log.ensureTopics([{ name: topic, partitions: 2 }])
  if (mode === 'append') return append(log, Number(first))
  if (mode === 'fill') return fill(log)
  print('open')
  for await (const _ of process.stdin);
  await log.close()
}

if (process.argv[1] === import.meta.filename) await main(process.argv.slice(2))
