/** Asking a running monitor. Throws NOT_RUNNING, USAGE for what it refuses, and STORE for what it cannot do. */
import type { Config } from '../infra/config.ts'
import { AppError, describeError } from '../infra/errors.ts'
import { findRunning } from '../infra/running.ts'
import type { ConfigOptions } from './options.ts'

/** How a command finds the monitor. */
export type MonitorPlace = Pick<Config, 'client' | 'dataDir'>

export async function ask<T>(url: string, init: RequestInit = {}): Promise<T> {
  return answerOf(url, await responseOf(url, init))
}

/** Undefined for what is not there (404). */
export async function askIfThere<T>(url: string): Promise<T | undefined> {
  const response = await responseOf(url)
  return response.status === 404 ? undefined : answerOf(url, response)
}

async function responseOf(url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    throw new AppError('NOT_RUNNING', `Nothing answers at ${url}: ${describeError(cause)}`, {
      cause,
    })
  }
}

async function answerOf<T>(url: string, response: Response): Promise<T> {
  const body = await response.json().catch(() => undefined)
  if (response.ok) return body as T
  const message = (body as { error?: { message?: string } } | undefined)?.error?.message
  const isAskersFault = response.status >= 400 && response.status < 500
  throw new AppError(
    isAskersFault ? 'USAGE' : 'STORE',
    message ?? `${url} answered ${response.status}`,
  )
}

/** The address of the monitor to ask: the one that the config names, or the one that serves the data folder; undefined where there is none. */
async function findMonitor({ client, dataDir }: MonitorPlace): Promise<string | undefined> {
  return client.url === '' ? findRunning(dataDir) : client.url.replace(/\/$/, '')
}

/** For commands that can read the store themselves: a server that was named by an option is read, whoever runs. */
export async function monitorToAsk(
  { clickhouse, url }: Pick<ConfigOptions, 'clickhouse' | 'url'>,
  place: MonitorPlace,
): Promise<string | undefined> {
  return clickhouse === undefined || url !== undefined ? findMonitor(place) : undefined
}

/** Throws NOT_RUNNING where there is none. */
export async function runningMonitor(place: MonitorPlace): Promise<string> {
  const url = await findMonitor(place)
  if (url !== undefined) return url
  throw new AppError(
    'NOT_RUNNING',
    `No monitor serves ${place.dataDir}: run \`tickertone start\`, or name its folder with --data-dir, or its address with --url`,
  )
}
