/** What the embedded log keeps when its process is killed, starved of disk, or not alone. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text as readText } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { numberedValue } from './embedded-child.fixture.ts'
import { openTestLog, temporaryFolder } from './embedded-log.fixture.ts'
import type { EmbeddedLog } from './embedded-log.ts'
import { Inbox, numbered, text } from './log.fixture.ts'
import type { LogRecord } from './log.ts'

const childFile = join(import.meta.dirname, 'embedded-child.fixture.js')
const topic = 'posts'

/** The same moments in every run, so that a failure can be looked at again. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

interface Acknowledged {
  readonly partition: number
  readonly offset: number
  readonly number: number
}

/** Kills the child when it has acknowledged `count` records; answers all that it acknowledged. */
async function appendAndDie(folder: string, first: number, count: number): Promise<Acknowledged[]> {
  const child = spawn(process.execPath, [childFile, 'append', folder, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const acknowledged: Acknowledged[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const [partition, offset, number] = line.split(' ').map(Number)
    if (partition === undefined || offset === undefined || number === undefined) continue
    acknowledged.push({ partition, offset, number })
    if (acknowledged.length === count) child.kill('SIGKILL')
  }
  assert.equal(child.signalCode ?? (await once(child, 'exit'))[1], 'SIGKILL')
  return acknowledged
}

async function readAll(log: EmbeddedLog): Promise<LogRecord[][]> {
  const inbox = new Inbox()
  const ends = await log.endOffsets(topic)
  const total = ends.reduce((sum, end) => sum + end, 0)
  const follower = await log.follow(topic, [], inbox.take)
  await inbox.until(() => inbox.count >= total)
  await follower.stop()
  return ends.map((_, partition) => inbox.records(partition))
}

describe('the embedded log, killed at random moments', () => {
  it('has every acknowledged record, no holes, and no commit beyond its end', async () => {
    const folder = temporaryFolder()
    const random = createRandom(20_200_626)
    const acknowledged: Acknowledged[] = []
    for (let round = 0; round < 10; round++) {
      const first = round * 1_000_000
      acknowledged.push(...(await appendAndDie(folder, first, 1 + Math.floor(random() * 1_500))))
      const log = openTestLog(folder)
      const stored = await readAll(log)
      stored.forEach((records) => {
        assert.ok(records.every((record, i) => record.offset === i))
        assert.ok(
          records.every(
            (record) => text(record) === numberedValue(Number.parseInt(text(record), 10)),
          ),
        )
      })
      for (const { partition, offset, number } of acknowledged)
        assert.equal(stored[partition]?.[offset]?.value.toString(), numberedValue(number))
      const committed = await log.committed('reader', topic)
      committed.forEach((next, partition) => {
        assert.ok(next <= (stored[partition]?.length ?? 0))
      })
      await log.close()
    }
  })
})

describe('the embedded log on a full disk', { skip: process.platform === 'win32' }, () => {
  it('says DISK_FULL, stores nothing of what it refused, and is whole afterwards', async () => {
    const folder = temporaryFolder()
    // A limit on the size of files stands in for the disk: 4 MiB in blocks of 512 bytes.
    const script = `trap '' XFSZ; ulimit -f 8192; exec "$0" "$@"`
    const child = spawn('sh', ['-c', script, process.execPath, childFile, 'fill', folder], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const seen = JSON.parse(await readText(child.stdout))
    assert.equal(seen.codes.at(-1), 'DISK_FULL')
    assert.ok(seen.codes.every((code: string) => code === 'DISK_FULL' || code === 'LOG'))
    const log = openTestLog(folder)
    const ends = await log.endOffsets(topic)
    assert.deepEqual(ends, seen.ends)
    assert.equal(
      ends.reduce((sum, end) => sum + end, 0),
      seen.acknowledged,
    )
    await log.append(topic, numbered(10))
    const stored = await readAll(log)
    assert.equal(stored.flat().length, seen.acknowledged + 10)
    await log.close()
  })
})

describe('a folder that is open already', () => {
  it('is refused to a second log of the process', async () => {
    const folder = temporaryFolder()
    const log = openTestLog(folder)
    assert.throws(() => openTestLog(`${folder}/.`), { code: 'DATA_FOLDER_HELD' })
    await log.close()
    await openTestLog(folder).close()
  })

  it('is refused while the other process lives, and not afterwards', async () => {
    const folder = temporaryFolder()
    const child = spawn(process.execPath, [childFile, 'hold', folder], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    assert.throws(
      () => openTestLog(folder),
      (error: Error & { code?: string }) =>
        error.code === 'DATA_FOLDER_HELD' && error.message.includes(String(child.pid)),
    )
    await kill(child)
    await openTestLog(folder).close()
  })
})

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}
