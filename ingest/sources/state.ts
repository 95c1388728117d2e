/**
 * What a source remembers between its readings and over restarts: one small JSON file a source in the data folder, replaced as a whole.
 * Posts are durable in the log before the state says that they were read, so a crash between the two repeats them under the same ids.
 * A state that is lost costs a repetition: the first reading after it is history unless fresh, and repeated ids are duplicates.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { AppError, describeError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'

export const SourceState = Type.Object({
  /** Of the last answer: for If-None-Match and If-Modified-Since at the same address, of which this is a hash. */
  validators: Type.Optional(
    Type.Object({
      address: Type.String(),
      etag: Type.Optional(Type.String()),
      lastModified: Type.Optional(Type.String()),
    }),
  ),
  /** Hashes of id and content of what was read, oldest first, and how often it was corrected. */
  seen: Type.Optional(
    Type.Array(Type.Tuple([Type.String(), Type.String(), Type.Integer({ minimum: 0 })])),
  ),
  /** The publisher gives one guid to several items. */
  guidsRepeat: Type.Optional(Type.Boolean()),
  /** Newest own date of an item, for `{since}`. */
  newestMs: Type.Optional(Type.Number()),
  /** Where a file is read to. `head` is a hash of its first `headBytes` bytes. */
  file: Type.Optional(
    Type.Object({
      device: Type.Number(),
      inode: Type.Number(),
      offset: Type.Integer({ minimum: 0 }),
      head: Type.String(),
      headBytes: Type.Integer({ minimum: 0 }),
    }),
  ),
  lastSuccessMs: Type.Optional(Type.Number()),
  lastItemMs: Type.Optional(Type.Number()),
  /** Longest pause between new items that ended on each of the last days: [days since 1970, milliseconds]. */
  pauses: Type.Optional(Type.Array(Type.Tuple([Type.Integer(), Type.Number()]))),
})
export type SourceState = Type.Static<typeof SourceState>

export interface StateStore {
  /** Empty for a source that was never read. A damaged state is logged and counts as none. */
  load(name: string): Promise<SourceState>
  /** Durable when it resolves. Throws DATA_FOLDER. */
  save(name: string, state: SourceState): Promise<void>
}

/** `name` is a source's: letters, digits, dots, underscores and hyphens. */
export function createStateStore(folder: string, logger: Logger): StateStore {
  const fileOf = (name: string) => join(folder, `${name}.json`)
  const saving = new Map<string, Promise<void>>()

  async function replace(file: string, state: SourceState): Promise<void> {
    try {
      await mkdir(folder, { recursive: true })
      await writeDurably(`${file}.new`, JSON.stringify(state))
      await rename(`${file}.new`, file)
    } catch (error) {
      throw failure(file, error)
    }
  }

  return {
    async load(name) {
      const text = await readFile(fileOf(name), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        throw failure(fileOf(name), error)
      })
      if (text === undefined) return {}
      const state = parse(text)
      if (state !== undefined) return state
      logger.warn(
        { source: name, file: fileOf(name) },
        'state of a source is damaged: it begins anew',
      )
      return {}
    },
    /** One after another: partitions of a topic are read at the same time, and save by themselves. */
    async save(name, state) {
      const before = saving.get(name) ?? Promise.resolve()
      const saved = before.then(() => replace(fileOf(name), state))
      saving.set(
        name,
        saved.catch(() => undefined),
      )
      await saved
    },
  }
}

function parse(text: string): SourceState | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Value.Check(SourceState, value) ? value : undefined
  } catch {
    return undefined
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function failure(file: string, cause: unknown): AppError {
  return new AppError('DATA_FOLDER', `Cannot use ${file}: ${describeError(cause)}`, { cause })
}
