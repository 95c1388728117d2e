/**
 * The source `file-tail`: NDJSON that somebody else writes, followed through rotation by rename (the old file is read to its end, also when the
 * rotation came while nothing ran) and through truncation (copytruncate). Ours, as the libraries for it (tail, @logdna/tail-file) tell no position
 * of a line with the file it belongs to, so that a restart would lose or repeat lines.
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../infra/clock.ts'
import type { FileTailSource } from '../../infra/config-sources.ts'
import { describeError } from '../../infra/errors.ts'
import { decodeJson, parseInstant, tooLarge } from '../contract.ts'
import type { Sleep } from '../replay.ts'
import type { Row } from './delivery.ts'
import { type FilePlace, FileReader, type PlacedLine } from './file-reader.ts'
import { postOf, shortHash } from './item.ts'
import { labelOf } from './label.ts'
import { mapItem } from './mapping.ts'
import { rowOf } from './sift.ts'
import { type RunContext, type Source, SourceError } from './source.ts'
import type { ReadingTime } from './timing.ts'

const minuteMs = 60_000
/** How long a file may be away, or the old one rest unchanged before an empty new one is believed. */
const patienceMs = 5_000

export function createFileTail(
  config: FileTailSource,
  deps: { readonly clock: Clock; readonly sleep: Sleep; readonly pollMs?: number },
): Source {
  const { clock, sleep, pollMs = 500 } = deps
  const { path, mapping, datesWithoutZone } = config
  const label = labelOf(config)
  const freshMs = config.freshMinutes * minuteMs

  function rowOfLine(line: PlacedLine, reader: FileReader, catchingUp: boolean): Row {
    const place = { partition: reader.inode, offset: line.offset }
    const time = { nowMs: clock(), freshMs, catchingUp, undated: config.undated }
    return rowOf(label, place, line.bytes ?? '', readLine(line, time))
  }

  function readLine({ bytes }: PlacedLine, time: ReadingTime): Row['read'] {
    if (bytes === undefined) return { ok: false, reason: tooLarge }
    const json = decodeJson(bytes)
    if (!json.ok) return json
    if (mapping === undefined)
      return { ok: true, candidate: ownPost(json.value, label.source, time) }
    const options = { withoutZone: datesWithoutZone, fallbackId: shortHash(bytes, 32) }
    const mapped = mapItem(mapping, json.value, options)
    return mapped.ok
      ? { ok: true, candidate: postOf(mapped.item, label, time, false) }
      : { ok: false, reason: mapped.reason }
  }

  /**
   * Everything that stands in the file now. What ends at or below `backlog` was there before the reading began.
   * False when the file was emptied and written anew: what was read since may be cut out of its middle, and is left alone.
   */
  async function drain(reader: FileReader, backlog: number, context: RunContext): Promise<boolean> {
    for await (const lines of reader.lines()) {
      if (!(await reader.isIntact())) return false
      await take(lines, reader, backlog, context)
    }
    return true
  }

  async function take(
    lines: readonly PlacedLine[],
    reader: FileReader,
    backlog: number,
    { delivery, signal, onReading, save }: RunContext,
  ): Promise<void> {
    if (lines.length === 0) return
    const rows = lines.map((line) => rowOfLine(line, reader, line.offset <= backlog))
    const { accepted, refused } = await delivery.deliver(rows, signal)
    onReading({ fresh: accepted, corrected: 0, repeated: 0, refused })
    await save({ file: reader.place(), lastSuccessMs: clock() })
  }

  /** Where the last run ended, in the file as it is called now. */
  async function resume(place: FilePlace | undefined, context: RunContext): Promise<FileReader> {
    if (place === undefined) return open(path, config.from === 'end' ? Infinity : 0)
    for (const candidate of [path, ...(await siblings(path))]) {
      const reader: FileReader | undefined = await open(candidate, place.offset).catch(
        () => undefined,
      )
      if (reader === undefined) continue
      if (reader.isAt(place)) return reader
      await reader.close()
    }
    context.onOddity('the file was replaced while nobody read it: its last lines may be missing')
    return open(path, 0)
  }

  async function run(context: RunContext): Promise<void> {
    const { signal } = context
    let reader = await resume((await context.load()).file, context)
    try {
      let backlog = await reader.size()
      let offset = reader.place().offset
      let quietMs = 0
      let hasCaughtUp = false
      context.onReading({ fresh: 0, corrected: 0, repeated: 0, refused: 0 })
      while (!signal.aborted) {
        const change = await changeOf(reader, await statOf(path), quietMs)
        if (change === 'gone') throw new SourceError(`${path} is gone`)
        if (change === 'rotated') await finish(reader, backlog, context)
        if (change !== 'none' || !(await drain(reader, backlog, context))) {
          await reader.close()
          reader = await open(path, 0)
          // A rotation that came while nobody read: the new file waited, too.
          backlog = hasCaughtUp ? 0 : await reader.size()
          offset = 0
          continue
        }
        hasCaughtUp = true
        const reached = reader.place().offset
        quietMs = reached === offset ? quietMs + pollMs : 0
        offset = reached
        await sleep(pollMs, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await reader.close()
    }
  }

  /** The last lines of a file that nobody writes to any more. */
  async function finish(reader: FileReader, backlog: number, context: RunContext): Promise<void> {
    await drain(reader, backlog, context)
    const rest = reader.rest()
    if (rest !== undefined) await take([rest], reader, backlog, context)
  }

  async function preview(context: RunContext, limit: number): Promise<void> {
    const reader = await open(path, 0)
    const last: PlacedLine[] = []
    try {
      for await (const lines of reader.lines()) {
        context.signal.throwIfAborted()
        last.push(...lines)
        last.splice(0, last.length - limit)
      }
      await take(last, reader, Infinity, context)
    } finally {
      await reader.close()
    }
  }

  return { schedule: undefined, run, preview }
}

/** A line that is a post already: it is only completed, and kept out of the live series where it is old. */
function ownPost(value: unknown, source: string, time: ReadingTime): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const post: Record<string, unknown> = { source, ...value }
  const publishedMs = parseInstant(String(post.publishedAt)) ?? Infinity
  const isOld = time.catchingUp && time.nowMs - publishedMs > time.freshMs
  return isOld ? { ...post, history: true } : post
}

type Change = 'none' | 'rotated' | 'truncated' | 'gone'

/** What became of the file in hand, and of its name. */
async function changeOf(
  reader: FileReader,
  named: { readonly dev: number; readonly ino: number; readonly size: number } | undefined,
  quietMs: number,
): Promise<Change> {
  if (named === undefined) return quietMs > patienceMs ? 'gone' : 'none'
  if (named.dev === reader.device && named.ino === reader.inode)
    return (await reader.isIntact()) ? 'none' : 'truncated'
  // Its writer has the old file in hand until it writes to the new one.
  return named.size > 0 || quietMs > patienceMs ? 'rotated' : 'none'
}

async function open(path: string, from: number): Promise<FileReader> {
  try {
    return await FileReader.open(path, from)
  } catch (cause) {
    throw new SourceError(`Cannot read ${path}: ${describeError(cause)}`, { cause })
  }
}

async function statOf(path: string) {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new SourceError(`Cannot read ${path}: ${describeError(error)}`, { cause: error })
  })
}

/** Files that a rotation may have made of it: `name.1`, `name-20260101`. */
async function siblings(path: string): Promise<string[]> {
  const folder = dirname(path)
  const names = await readdir(folder).catch(() => [])
  return names
    .filter((name) => name.startsWith(basename(path)) && name !== basename(path))
    .map((name) => join(folder, name))
}
