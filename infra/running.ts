/**
 * Says which process serves a data folder: `start` announces its address in the folder, and other commands find it there.
 * A file that a killed process left behind is recognised, because nothing of that identity answers at its address.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { AppError, describeError } from './errors.ts'

const Announcement = Type.Object({ url: Type.String(), instance: Type.String() })
export type Announcement = Type.Static<typeof Announcement>

const fileIn = (dataDir: string) => join(dataDir, 'monitor.json')
const probeTimeoutMs = 2_000

/** Throws DATA_FOLDER. */
export function announce(dataDir: string, announcement: Announcement): void {
  const file = fileIn(dataDir)
  try {
    writeFileSync(`${file}.new`, JSON.stringify(announcement))
    renameSync(`${file}.new`, file)
  } catch (cause) {
    throw new AppError('DATA_FOLDER', `Cannot write ${file}: ${describeError(cause)}`, { cause })
  }
}

export function withdraw(dataDir: string): void {
  rmSync(fileIn(dataDir), { force: true })
}

/** The address of the monitor that serves this data folder now; undefined when none does. */
export async function findRunning(dataDir: string): Promise<string | undefined> {
  const announced = readAnnouncement(dataDir)
  if (announced === undefined) return undefined
  try {
    const response = await fetch(`${announced.url}/healthz`, {
      signal: AbortSignal.timeout(probeTimeoutMs),
    })
    const health = (await response.json()) as { instance?: unknown }
    return health.instance === announced.instance ? announced.url : undefined
  } catch {
    return undefined
  }
}

function readAnnouncement(dataDir: string): Announcement | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(fileIn(dataDir), 'utf8'))
    return Value.Check(Announcement, value) ? value : undefined
  } catch {
    return undefined
  }
}
