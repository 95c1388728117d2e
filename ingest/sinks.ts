/** Where a replay sends its posts: to the push API of a running monitor, or straight to the log. */
import { Value } from 'typebox/value'
import { AppError } from '../infra/errors.ts'
import { type Log, topics } from '../infra/log/log.ts'
import { appendPatiently, backoffMs, longestDelayMs } from './append.ts'
import { decodeJson, type Post } from './contract.ts'
import { PushResult } from './push.ts'
import { type Refusal, realSleep, type Sink, type Sleep } from './replay.ts'

const requestTimeoutMs = 60_000

/** Appends without a check: the posts must be as parsePost returns them. Waits while the log is full. */
export function createLogSink(deps: { log: Pick<Log, 'append'>; sleep?: Sleep }): Sink {
  const { log, sleep } = deps
  return {
    async send(posts, signal) {
      const records = posts.map((post) => ({ key: post.id, value: JSON.stringify(post) }))
      await appendPatiently({ log, topic: topics.posts, records, signal, sleep })
      return posts.map(() => undefined)
    },
  }
}

/**
 * Sends to `POST {url}/api/posts`. Rows of verdict `retry`, and requests without an answer, are sent again after what Retry-After
 * says, else after a growing delay; `maxAttempts` in a row that bring nothing forward end it: `LOG_FULL` or `NOT_RUNNING`.
 */
export function createPushSink(deps: {
  readonly url: string | URL
  readonly sleep?: Sleep
  readonly maxAttempts?: number
}): Sink {
  const { sleep = realSleep, maxAttempts = 6 } = deps
  const endpoint = new URL('/api/posts', deps.url)

  return {
    async send(posts, signal) {
      const refusals: Refusal[] = posts.map(() => undefined)
      let open = posts.map((_, index) => index)
      for (let failures = 0; ; ) {
        const answer = await push(
          endpoint,
          open.flatMap((index) => posts[index] ?? []),
        )
        for (const row of answer.refused) refusals[open[row.index] ?? -1] = row.reason
        const left = open.filter((_, row) => answer.retry.has(row))
        if (left.length === 0) return refusals
        failures = left.length < open.length ? 0 : failures + 1
        if (failures >= maxAttempts) throw answer.failure
        open = left
        await sleep(answer.retryAfterMs ?? backoffMs(failures), signal)
      }
    },
  }
}

interface Answer {
  readonly refused: readonly { readonly index: number; readonly reason: string }[]
  /** Rows to send again, by their place in the request, and why if it comes to that. */
  readonly retry: ReadonlySet<number>
  readonly retryAfterMs: number | undefined
  readonly failure: AppError
}

async function push(endpoint: URL, posts: readonly Post[]): Promise<Answer> {
  let response: Response
  let text: string
  try {
    response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: posts.map((post) => JSON.stringify(post)).join('\n'),
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
    text = await response.text()
  } catch (cause) {
    return unanswered(posts, new AppError('NOT_RUNNING', noAnswer(endpoint), { cause }))
  }
  const result = parseResult(text)
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retryAfterMs = seconds >= 0 ? Math.min(seconds * 1_000, longestDelayMs) : undefined
  if (result !== undefined) {
    return {
      refused: result.rows.flatMap(({ index, verdict, reason = '' }) =>
        verdict === 'refused' ? [{ index, reason }] : [],
      ),
      retry: new Set(result.rows.filter((row) => row.verdict === 'retry').map((row) => row.index)),
      retryAfterMs,
      failure: new AppError(
        'LOG_FULL',
        `${endpoint.origin} takes no posts: its log is full or busy`,
      ),
    }
  }
  const failure = new AppError(
    'NOT_RUNNING',
    `${endpoint.href} answered ${response.status}, which is not the answer of a running monitor; check --url`,
  )
  if (response.status < 500) throw failure
  return { ...unanswered(posts, failure), retryAfterMs }
}

function unanswered(posts: readonly Post[], failure: AppError): Answer {
  return { refused: [], retry: new Set(posts.keys()), retryAfterMs: undefined, failure }
}

function noAnswer(endpoint: URL): string {
  return `No answer from ${endpoint.origin}; start the monitor (tickertone start) or check --url`
}

function parseResult(text: string): PushResult | undefined {
  const json = decodeJson(Buffer.from(text))
  return json.ok && Value.Check(PushResult, json.value) ? json.value : undefined
}
