/** Asking a running monitor. Throws NOT_RUNNING, USAGE for what it refuses, and STORE for what it cannot do. */
import { AppError, describeError } from '../infra/errors.ts'
import { findRunning } from '../infra/running.ts'

export async function ask<T>(url: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (cause) {
    throw new AppError('NOT_RUNNING', `Nothing answers at ${url}: ${describeError(cause)}`, {
      cause,
    })
  }
  const body = await response.json().catch(() => undefined)
  if (response.ok) return body as T
  const message = (body as { error?: { message?: string } } | undefined)?.error?.message
  const isAskersFault = response.status >= 400 && response.status < 500
  throw new AppError(
    isAskersFault ? 'USAGE' : 'STORE',
    message ?? `${url} answered ${response.status}`,
  )
}

/** The address of the monitor that serves the data folder. */
export async function runningMonitor(dataDir: string): Promise<string> {
  const url = await findRunning(dataDir)
  if (url !== undefined) return url
  throw new AppError(
    'NOT_RUNNING',
    `No monitor serves ${dataDir}: run \`tickertone start\`, or name its folder with --data-dir`,
  )
}
