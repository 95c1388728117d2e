/**
 * Forgetting in the store. Title, text, author and url are emptied: an address often holds the author's name. What is derived from the text stays and
 * tells nobody what it said: `content_hash` (so that a repeat is still a duplicate), `signature`, and what experts made of it.
 */
import type { Store } from '../../infra/store/store.ts'
import { sqlCondition, sqlParams, type Target } from './target.ts'

export type ErasableStore = Pick<Store, 'query' | 'command' | 'insert' | 'replicated' | 'mark'>

const personal = ['text', 'title', 'author', 'url'] as const
const isBlank = personal.map((column) => `${column} = ''`).join(' AND ')
const blanked = personal.map((column) => `${column} = ''`).join(', ')
const slowMs = 600_000
const originsAtOnce = 500

export type ErasedTable = 'analyses' | 'rescored'

export async function countRows(
  store: Pick<Store, 'query'>,
  table: ErasedTable,
  target: Target,
): Promise<number> {
  const [row] = await store.query<{ n: number }>(
    `SELECT count() AS n FROM ${table} WHERE ${sqlCondition(target)} AND NOT (${isBlank})`,
    sqlParams(target),
    { maxExecutionMs: slowMs },
  )
  return row?.n ?? 0
}

/** Answers how many rows; their projections are rewritten with them. */
export async function eraseRows(
  store: ErasableStore,
  table: ErasedTable,
  target: Target,
): Promise<number> {
  const rows = await countRows(store, table, target)
  if (rows > 0)
    await store.command(
      `ALTER TABLE ${table} UPDATE ${blanked} WHERE ${sqlCondition(target)} ${waiting(store)}`,
      sqlParams(target),
    )
  return rows
}

/** The payloads of these letters are gone. */
export async function markLettersErased(
  store: ErasableStore,
  origins: readonly string[],
): Promise<void> {
  for (let start = 0; start < origins.length; start += originsAtOnce)
    await store.command(
      `ALTER TABLE dead_letters UPDATE erased = true WHERE origin IN {origins:Array(String)} ${waiting(store)}`,
      { origins: origins.slice(start, start + originsAtOnce) },
    )
}

/** On every replica, where there are some. */
function waiting({ replicated }: Pick<Store, 'replicated'>): string {
  return `SETTINGS mutations_sync = ${replicated ? 2 : 1}`
}
