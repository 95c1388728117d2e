/**
 * One polite GET. Bounded in time, size and redirects; a redirect stays with http and https, never leaves https, never goes from elsewhere to this machine or
 * its network, and takes headers of the configuration along only to the same origin.
 */
import type { Clock } from '../../infra/clock.ts'
import { describeError } from '../../infra/errors.ts'
import type { Hosts } from './hosts.ts'
import { isInternalHost } from './internal-host.ts'
import { shortHash } from './item.ts'
import { retryAfterMs } from './retry-after.ts'
import { SourceError } from './source.ts'
import type { SourceState } from './state.ts'

export type Validators = NonNullable<SourceState['validators']>

export interface Document {
  readonly body: Uint8Array
  readonly contentType: string
  /** After redirects: what relative links in it start from. */
  readonly url: string
  readonly validators: Validators
}

export interface GetOptions {
  /** Secrets among them. */
  readonly headers?: Readonly<Record<string, string>>
  readonly validators?: Validators | undefined
  readonly minIntervalMs?: number | undefined
  readonly signal: AbortSignal
}

export interface Fetcher {
  /** Undefined: not modified. Throws SOURCE; a message names host and path only, as a query may hold a secret. */
  get(url: string, options: GetOptions): Promise<Document | undefined>
}

export interface FetchLimits {
  readonly userAgent: string
  readonly minIntervalMs: number
  readonly timeoutMs: number
  readonly maxBytes: number
}

const maxRedirects = 5
const redirects = new Set([301, 302, 303, 307, 308])

export function createFetcher(deps: {
  readonly hosts: Hosts
  readonly clock: Clock
  readonly limits: FetchLimits
}): Fetcher {
  const { hosts, clock, limits } = deps

  async function request(url: URL, origin: string, options: GetOptions): Promise<Response> {
    const { validators } = options
    const same = validators?.address === addressKey(url) ? validators : undefined
    const timeout = AbortSignal.timeout(limits.timeoutMs)
    return fetch(url, {
      redirect: 'manual',
      signal: AbortSignal.any([options.signal, timeout]),
      headers: {
        'user-agent': limits.userAgent,
        accept: '*/*',
        ...(url.origin === origin ? options.headers : {}),
        ...(same?.etag !== undefined && { 'if-none-match': same.etag }),
        ...(same?.lastModified !== undefined && { 'if-modified-since': same.lastModified }),
      },
    })
  }

  /** The next address, or the document, or undefined for one that is not modified. */
  async function visit(
    url: URL,
    first: URL,
    options: GetOptions,
  ): Promise<URL | Document | undefined> {
    let response: Response
    try {
      response = await request(url, first.origin, options)
      if (response.status === 304) return undefined
      if (redirects.has(response.status)) {
        await response.body?.cancel()
        return nextAddress(response, url, first)
      }
      if (response.status === 200)
        return documentOf(response, url, await readBody(response, limits.maxBytes))
      await response.body?.cancel()
    } catch (error) {
      options.signal.throwIfAborted()
      if (error instanceof SourceError) throw error
      throw new SourceError(`${nameOf(url)}: ${reasonOf(error, limits)}`, { cause: error })
    }
    const waitMs = [429, 503].includes(response.status)
      ? retryAfterMs(response.headers.get('retry-after'), clock())
      : undefined
    const retryAtMs = waitMs === undefined ? undefined : clock() + waitMs
    if (retryAtMs !== undefined) hosts.hold(url.host, retryAtMs)
    throw new SourceError(`${nameOf(url)} answered ${response.status}`, { retryAtMs })
  }

  return {
    async get(address, options) {
      const first = new URL(address)
      let url = first
      for (let hops = 0; hops <= maxRedirects; hops++) {
        const at = url
        const answer = await hosts.visit(
          at.host,
          { minIntervalMs: options.minIntervalMs ?? limits.minIntervalMs, signal: options.signal },
          () => visit(at, first, options),
        )
        if (!(answer instanceof URL)) return answer
        url = answer
      }
      throw new SourceError(`${nameOf(first)} redirects more than ${maxRedirects} times`)
    },
  }
}

function nextAddress(response: Response, from: URL, first: URL): URL {
  const location = response.headers.get('location') ?? ''
  if (location === '' || !URL.canParse(location, from.href))
    throw new SourceError(`${nameOf(from)} redirects to no address`)
  const to = new URL(location, from)
  const isWeb = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:')
  if (!isWeb)
    throw new SourceError(`${nameOf(from)} redirects from ${from.protocol} to ${to.protocol}`)
  if (isInternalHost(to.hostname) && !isInternalHost(first.hostname))
    throw new SourceError(`${nameOf(from)} redirects into this network`)
  return to
}

function documentOf(response: Response, url: URL, body: Uint8Array): Document {
  const etag = response.headers.get('etag') ?? undefined
  const lastModified = response.headers.get('last-modified') ?? undefined
  return {
    body,
    url: url.href,
    contentType: response.headers.get('content-type') ?? '',
    validators: {
      address: addressKey(url),
      ...(etag !== undefined && { etag }),
      ...(lastModified !== undefined && { lastModified }),
    },
  }
}

async function readBody(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the rest.
    if (bytes > maxBytes) throw new TooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

class TooLarge extends Error {}

function reasonOf(error: unknown, limits: FetchLimits): string {
  if (error instanceof TooLarge) return `more than ${limits.maxBytes} bytes`
  if (error instanceof Error && error.name === 'TimeoutError')
    return `no whole answer within ${limits.timeoutMs} ms`
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return describeError(cause)
}

/** Tells addresses apart in a file: their queries may hold secrets. */
const addressKey = (url: URL): string => shortHash(url.href, 32)

/** Without query: it may hold a secret. */
const nameOf = (url: URL): string => `${url.origin}${url.pathname}`.slice(0, 300)
