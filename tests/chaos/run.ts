/** What runs of both targets have in common: what they start from, and what is said of them in the end. */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../infra/store/embedded.ts'
import type { Breakage } from './breakage.ts'
import type { Fault } from './faults.ts'
import { checkHistory, type Finding } from './history.ts'
import type { Outbox } from './outbox.ts'
import type { Life, Plan } from './plan.ts'
import type { Inspection, LifeOrder, LogPlace, StorePlace } from './victim/messages.ts'
import type { VictimProcess } from './victim-process.ts'

export interface RunResult {
  readonly findings: readonly Finding[]
  /** Names of the faults that were planned, and of those that struck. */
  readonly planned: readonly string[]
  readonly struck: readonly string[]
  readonly records: number
}

/** Runs plans, one after another. */
export interface Runner {
  /** Rejects when the pipeline fails or stands still. */
  run(plan: Plan): Promise<RunResult>
  close(): Promise<void>
}

export const temporary = (): string => mkdtempSync(join(tmpdir(), 'tickertone-chaos-'))
export const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })

/** A store without rows, to be copied: to make one takes longer. In a folder that `remove` ends. */
export async function emptyStore(): Promise<{ readonly path: string; remove(): void }> {
  const path = temporary()
  const store = await openEmbeddedStore({ path })
  await store.close()
  return { path, remove: () => remove(path) }
}

export const copyStore = (template: string, path: string): void =>
  cpSync(template, path, { recursive: true })

export interface Places {
  readonly log: LogPlace
  readonly store: StorePlace
  readonly logTopic: string
}

export function orderOf(plan: Plan, places: Places, breakage: Breakage | undefined): LifeOrder {
  const { partitions, batchRecords, flushMs, deduplicationWindow, holdBytes } = plan
  return {
    ...places,
    partitions,
    batchRecords,
    flushMs,
    deduplicationWindow,
    holdBytes,
    faults: [],
    breakage,
  }
}

/** Has the process read what is left, and store the same log once more, without faults, in the store at `quietPath`. */
export async function inspect(
  victim: VictimProcess,
  order: LifeOrder,
  quietPath: string,
): Promise<Inspection> {
  const file = `${quietPath}.json`
  const { said } = await victim.ask({ do: 'inspect', order, quietPath, file }, 'inspected')
  if (said !== 'inspected') throw new Error(`the process has ${said} after all lives`)
  return JSON.parse(readFileSync(file, 'utf8')) as Inspection
}

export function resultOf(
  plan: Plan,
  { logTopic }: LifeOrder,
  outbox: Outbox,
  left: Inspection,
  struck: readonly string[],
): RunResult {
  return {
    findings: checkHistory({ ...left, logTopic, sent: outbox.sent }),
    planned: plan.lives.flatMap((life) => faultsOf(life).map(({ name }) => name)),
    struck,
    records: outbox.sent.length,
  }
}

export const faultsOf = ({ faults, death }: Life): readonly Fault[] =>
  death === undefined ? faults : [...faults, death]
