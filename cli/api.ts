/** Asking a running monitor. */
import { AppError, describeError } from '../infra/errors.ts'

export async function ask<T>(url: string, init: RequestInit = {}): Promise<T> {
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (cause) {
    throw new AppError('NOT_RUNNING', `Nothing answers at ${url}: ${describeError(cause)}`, {
      cause,
    })
  }
  const body: unknown = await response.json()
  if (response.ok) return body as T
  const { error } = body as { error?: { message?: string } }
  throw new AppError('STORE', error?.message ?? `${url} answered ${response.status}`)
}
