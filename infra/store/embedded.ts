/** The real ClickHouse engine in this process (chdb), behind the same client. One process owns a data folder. */
import { randomUUID } from 'node:crypto'
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createChdbConnection } from 'chdb/connection'
import { AppError, describeError } from '../errors.ts'
import { ClickHouse, type Client, type ClientOptions, connectClient } from './clickhouse.ts'
import { migrate } from './migrate.ts'
import { embeddedForm } from './statement-form.ts'
import type { Store } from './store.ts'

/** A second opening would have another `boot`, and two writers' tokens would no longer collide. */
const open = new Set<string>()

/**
 * Opens or creates the folder. Throws `DATA_FOLDER_HELD` when another process (or this one) has it open, `DATA_FOLDER` when it cannot
 * be written, `DISK_FULL` and `STORE`.
 */
export async function openEmbeddedStore(options: { readonly path: string }): Promise<Store> {
  const path = resolve(options.path)
  if (open.has(path)) throw held(path, process.pid)
  checkFolder(path)
  const engine = new ClickHouse({
    connect: () => connectEmbedded(path),
    where: path,
    form: embeddedForm,
  })
  open.add(path)
  const close = async () => {
    await engine.close()
    open.delete(path)
  }
  try {
    await migrate(engine)
  } catch (error) {
    await close()
    throw error
  }
  return {
    boot: randomUUID(),
    replicated: false,
    query: (sql, params, queryOptions) => engine.query(sql, params, queryOptions),
    syntaxTree: (statement) => engine.syntaxTree(statement),
    command: (sql, params) => engine.command(sql, params),
    insert: (table, rows) => engine.insert(table, rows),
    mark: (partition) => engine.mark(partition),
    insertBlock: (block) => engine.insertBlock(block),
    close,
  }
}

/** Creates the folder where it is missing. Throws `DATA_FOLDER` and `DISK_FULL`. */
export function checkFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOSPC')
      throw new AppError('DISK_FULL', `The disk of ${path} is full: free some space there`, {
        cause,
      })
    throw new AppError(
      'DATA_FOLDER',
      `The data folder ${path} cannot be written (${describeError(cause)}): make it writable, or choose another with TICKERTONE_DATA_DIR`,
      { cause },
    )
  }
}

/** A connection of its own to the folder. Throws `DATA_FOLDER_HELD` and `DATA_FOLDER`. */
export function connectEmbedded(path: string): Client {
  try {
    const connection: unknown = createChdbConnection({ path })
    // Both packages bring their own copy of the same Connection type.
    return connectClient({ connection } as ClientOptions)
  } catch (cause) {
    const owner = ownerOf(path)
    if (owner !== undefined) throw held(path, owner)
    throw new AppError(
      'DATA_FOLDER',
      `The store in ${path} cannot be opened (${describeError(cause)}): see the engine's words above, or choose another folder with TICKERTONE_DATA_DIR`,
      { cause },
    )
  }
}

function held(path: string, pid: number): AppError {
  return new AppError(
    'DATA_FOLDER_HELD',
    `The data folder ${path} is in use by process ${pid}: stop that process, or choose another folder with TICKERTONE_DATA_DIR`,
  )
}

/** The engine says only on standard error that its lock is held, but its lock file names the process. */
function ownerOf(path: string): number | undefined {
  try {
    const pid = Number(/^PID: (\d+)/.exec(readFileSync(join(path, 'status'), 'utf8'))?.[1])
    process.kill(pid, 0)
    return pid
  } catch {
    return undefined
  }
}
