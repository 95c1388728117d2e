/**
 * Cuts an expert off that fails again and again, so that posts no longer wait for it.
 *
 * closed -> (so many failures in a row) open -> (its rest is over, and somebody asks) half-open: that one call is let through, the others still go
 * without the expert -> closed when it answers, open for a longer rest when it does not.
 *
 * A failure: it throws, answers no distributions, or does not answer within twice the time in which it must begin; such a call is left. None of these is one:
 * a text on which it throws while it answers others, which is lethal (pipeline/poison.ts); OVERLOADED and DEADLINE, which say that there is more work than one expert can do, and would shed the work of a healthy one; a lethal text; and
 * what `health` says, as the workers of a pool are started again by the pool itself, and come back without being asked.
 */
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  ExponentialBackoff,
  handleWhen,
  noJitterGenerator,
  TaskCancelledError,
  TimeoutStrategy,
  timeout,
} from 'cockatiel'
import { AppError, describeError } from '../../infra/errors.ts'
import type { Logger } from '../../infra/logger.ts'
import { answerApart } from '../poison.ts'
import type { Call, Expert, ExpertInput, ExpertOutput, Lethal } from './expert.ts'
import { wellFormed } from './well-formed.ts'

export const circuitStates = ['closed', 'half-open', 'open'] as const
export type Circuit = (typeof circuitStates)[number]

export interface GuardedExpert extends Expert {
  circuit(): Circuit
  /** Also why it is cut off. */
  health(): AppError | undefined
}

export interface BreakerOptions {
  /** In a row. */
  readonly failures: number
  /** The first rest; each further one without an answer between is twice as long. */
  readonly restMs: number
  readonly maxRestMs: number
}

const defaults: BreakerOptions = { failures: 3, restMs: 5_000, maxRestMs: 120_000 }

/** Rests end by `Date.now`. */
export function guarded(
  expert: Expert,
  deps: {
    readonly logger: Logger
    readonly onCircuit?: ((circuit: Circuit) => void) | undefined
    readonly options?: Partial<BreakerOptions>
  },
): GuardedExpert {
  const { failures, restMs, maxRestMs } = { ...defaults, ...deps.options }
  const logger = deps.logger.child({ expert: expert.name })
  let isClosing = false
  let failure: AppError | undefined
  const breaker = circuitBreaker(
    handleWhen((error) => !isClosing && !isCrowded(error)),
    {
      breaker: new ConsecutiveBreaker(failures),
      halfOpenAfter: new ExponentialBackoff({
        initialDelay: restMs,
        maxDelay: maxRestMs,
        generator: noJitterGenerator,
      }),
    },
  )
  breaker.onStateChange((state) => {
    const circuit = circuitOf(state)
    if (circuit === 'open') logger.error({ error: failure?.message }, 'an expert is cut off')
    else if (circuit === 'half-open') logger.info('an expert that was cut off is tried')
    else logger.info('an expert that was cut off answers again')
    deps.onCircuit?.(circuit)
  })

  /** Keeps the last failure: what callers hear while the circuit is open. */
  async function ask(batch: readonly ExpertInput[], call: Call | undefined) {
    try {
      return await askApart(expert, batch, call)
    } catch (error) {
      if (!isCrowded(error)) failure = asAppError(error)
      throw error
    }
  }

  return {
    ...expert,
    circuit: () => circuitOf(breaker.state),
    async classify(batch, call) {
      const down = expert.health?.()
      if (down !== undefined) throw down
      if (breaker.state === CircuitState.HalfOpen) throw failure
      try {
        return await breaker.execute(() => ask(batch, call))
      } catch (error) {
        throw error instanceof BrokenCircuitError ? failure : asAppError(error)
      }
    },
    health: () =>
      expert.health?.() ?? (breaker.state === CircuitState.Closed ? undefined : failure),
    close() {
      isClosing = true
      return expert.close()
    },
  }
}

const witness: ExpertInput = {
  kind: 'news',
  title: '',
  text: 'Shares rise after the company reports higher earnings',
}

/** What throws on one text throws for all that are asked with it: they are asked again without it. */
async function askApart(
  expert: Expert,
  batch: readonly ExpertInput[],
  call: Call | undefined,
): Promise<readonly (ExpertOutput | Lethal)[]> {
  const findings = await answerApart(batch, {
    attempt: async (part) => wellFormed(await inTime(expert, part, call), part.length),
    canBePoison: (error) => !(error instanceof AppError || error instanceof TaskCancelledError),
    witness,
    textOf: ({ title, text }) => `${title}\n${text}`,
  })
  return findings.map((finding) =>
    'answer' in finding
      ? finding.answer
      : {
          lethal: `the expert ${expert.name} fails on it`,
          expert: expert.name,
          error: finding.poison,
        },
  )
}

function circuitOf(state: CircuitState): Circuit {
  if (state === CircuitState.Closed) return 'closed'
  return state === CircuitState.HalfOpen ? 'half-open' : 'open'
}

function isCrowded(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'OVERLOADED' || error.code === 'DEADLINE')
}

/** One that begins in time has as long again to end. */
const limitInDeadlines = 2
const longestTimerMs = 2 ** 31 - 1

function inTime(expert: Expert, batch: readonly ExpertInput[], call: Call | undefined) {
  const limitMs = limitInDeadlines * (call?.withinMs ?? Number.POSITIVE_INFINITY)
  if (limitMs > longestTimerMs) return expert.classify(batch, call)
  return timeout(limitMs, TimeoutStrategy.Aggressive).execute(() => expert.classify(batch, call))
}

function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const message =
    error instanceof TaskCancelledError
      ? 'It did not answer in time'
      : `It failed: ${describeError(error)}`
  return new AppError('EXPERT', message, { retryable: true, cause: error })
}
