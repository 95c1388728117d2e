/**
 * The embedded log: the port over LMDB, in one process, without a broker.
 *
 * One process may have a folder open: a second one is refused with `DATA_FOLDER_HELD`. LMDB's file never shrinks: what retention
 * removes becomes room for new records inside it.
 */
import { randomUUID } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { getSystemErrorName } from 'node:util'
import { open, type RootDatabase } from 'lmdb'
import type { Clock } from '../clock.ts'
import { AppError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { checkDataFile } from './data-file.ts'
import { type EmbeddedLog, LogOverStorage } from './embedded-log.ts'
import type { Backoff } from './partition-reader.ts'
import { probeRoom } from './room-probe.ts'
import type { GroupRow, Head, Storage, StorageKey, Table, TopicRow } from './storage.ts'
import { storageFailure } from './storage-failure.ts'

/** Room asked for: LMDB's first files, and a transaction as large as most. */
const probeBytes = { open: 256 * 1024, write: 4 * 1024 * 1024 } as const

/** The layout of the folder; another number means another program wrote it. */
const formatVersion = 1

/** Throws `DATA_FOLDER`, `DATA_FOLDER_HELD`, `DISK_FULL` or `LOG`. */
export function createEmbeddedLog(options: {
  readonly path: string
  readonly clock: Clock
  readonly logger: Logger
  readonly backoff?: Backoff
}): EmbeddedLog {
  return new LogOverStorage({ ...options, storage: openStorage(options.path) })
}

/** Two logs over one folder would hand out the same offsets. */
const openFolders = new Set<string>()

function openStorage(folder: string): Storage {
  const held = resolve(folder)
  if (openFolders.has(held))
    throw new AppError('DATA_FOLDER_HELD', `This process has the log in ${folder} open already`)
  let root: RootDatabase
  try {
    mkdirSync(folder, { recursive: true })
    const refused = probeRoom(folder, probeBytes.open)
    if (refused !== undefined) throw refused
    checkDataFile(folder)
    root = open({
      path: folder,
      noSubdir: false,
      maxDbs: 8,
      overlappingSync: false, // so that a write's promise waits for the flush, and a flush that fails rejects it
      eventTurnBatching: false, // it makes a promise of its own that nobody can catch when a commit fails
    })
  } catch (error) {
    throw failure(folder, error)
  }
  try {
    refuseOtherProcesses(folder, root)
    const storage = storageOf(folder, root)
    openFolders.add(held)
    return {
      ...storage,
      async close() {
        await storage.close()
        openFolders.delete(held)
      },
    }
  } catch (error) {
    void root.close()
    throw failure(folder, error)
  }
}

function storageOf(folder: string, root: RootDatabase): Storage {
  const write = createWrite(folder, root)
  return {
    records: table<Buffer>(root, 'records', 'binary'),
    heads: table<Head>(root, 'heads', 'json'),
    topics: table<TopicRow>(root, 'topics', 'json'),
    groups: table<GroupRow>(root, 'groups', 'json'),
    logId: identity(folder, root),
    write,
    close: () => root.close(),
  }
}

function table<V>(root: RootDatabase, name: string, encoding: 'binary' | 'json'): Table<V> {
  const db = root.openDB<V, LmdbKey>({ name, encoding })
  return {
    get: (key) => db.get([...key]),
    put: (key, value) => void db.putSync([...key], value),
    remove: (key) => void db.removeSync([...key]),
    range: (start, end) => db.getRange({ start: [...start], end: [...end] }).map(withWholeKey),
    all: () => db.getRange({}).map(withWholeKey),
  }
}

type LmdbKey = string | number | (string | number)[]

/** LMDB's encoding gives a key of one part back without its array. */
function withWholeKey<V>({ key, value }: { key: LmdbKey; value: V }): {
  key: StorageKey
  value: V
} {
  return { key: Array.isArray(key) ? key : [key], value }
}

/** A child transaction, because LMDB's own keeps the changes of a callback that threw. */
function createWrite(folder: string, root: RootDatabase): Storage['write'] {
  let suspect = false
  return async (work) => {
    try {
      // lmdb's asynchronous write never settles when the environment is beyond use; the synchronous one says so.
      if (suspect) root.transactionSync(() => undefined)
      const result = await root.childTransaction(work)
      suspect = false
      return result
    } catch (error) {
      if (error instanceof AppError) throw error
      suspect = true
      throw failure(folder, await commitError(error))
    }
  }
}

/** lmdb rejects with a general error that holds a promise of the real one. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || !('commitError' in error)) return error
  try {
    await error.commitError
  } catch (cause) {
    return cause
  }
  return error
}

/** Readers' slots hold kernel locks, so a dead process's slot is never mistaken for a live one. */
function refuseOtherProcesses(folder: string, root: RootDatabase): void {
  root.openDB({ name: 'about', encoding: 'json' }).get('format')
  root.readerCheck()
  for (const line of root.readerList().split('\n')) {
    const pid = Number(/^\s*(\d+)\s/.exec(line)?.[1] ?? process.pid)
    if (pid !== process.pid)
      throw new AppError(
        'DATA_FOLDER_HELD',
        `Process ${pid} has the log in ${folder} open: stop it, or name another folder`,
      )
  }
}

function identity(folder: string, root: RootDatabase): string {
  const about = root.openDB<string | number, string>({ name: 'about', encoding: 'json' })
  return root.transactionSync(() => {
    const format = about.get('format')
    if (format !== undefined && format !== formatVersion)
      throw new AppError(
        'DATA_FOLDER',
        `The log in ${folder} has format ${format}, this version reads ${formatVersion}: name another folder`,
      )
    const known = about.get('logId')
    if (typeof known === 'string') return known
    const logId = randomUUID()
    about.putSync('format', formatVersion)
    about.putSync('logId', logId)
    return logId
  })
}

function failure(folder: string, error: unknown): AppError {
  const code = systemCode(error)
  const cause =
    code === 'EIO' ? (probeRoom(folder, probeBytes.write, dataBytes(folder)) ?? error) : error
  return storageFailure(folder, systemCode(cause), cause)
}

function dataBytes(folder: string): number {
  return statSync(join(folder, 'data.mdb'), { throwIfNoEntry: false })?.size ?? 0
}

function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  if (typeof error.code === 'string') return error.code
  return typeof error.code === 'number' && error.code > 0
    ? getSystemErrorName(-error.code)
    : undefined
}
