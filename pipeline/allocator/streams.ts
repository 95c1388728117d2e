/**
 * Which strategy judges which posts. An entry is conditions and a strategy, with a fusion where it is another one than the default:
 * `kind=comment&language=en:dynamic`, `source=desk:static/vote`. The first entry whose conditions all hold counts; without one the default does.
 */
import { AppError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import { kinds } from '../../ingest/contract.ts'
import { type FusionMethod, fusionMethods, type Strategy, strategies } from '../contract.ts'
import type { AllocationContext, Allocator } from './allocator.ts'

export interface StreamSettings {
  /** Of posts that no stream takes. */
  readonly strategy: Strategy
  readonly fusion: FusionMethod
  readonly streams: readonly string[]
}

export interface Stream {
  readonly conditions: Readonly<Partial<Record<Condition, string>>>
  readonly strategy: Strategy
  readonly fusion: FusionMethod | undefined
}

const conditions = ['source', 'kind', 'language'] as const
type Condition = (typeof conditions)[number]

/** Throws CONFIG naming the entry. Values are percent-encoded where they hold `&`, `%`, `+` or a comma. */
export function parseStream(entry: string): Stream {
  const refuse = (why: string) =>
    new AppError(
      'CONFIG',
      `The stream '${inert(entry)}' ${why}: like kind=comment&language=en:dynamic`,
    )
  const colon = entry.lastIndexOf(':')
  if (colon < 0) throw refuse('names no strategy')
  const [named = '', fusionNamed, ...rest] = entry.slice(colon + 1).split('/')
  const strategy = strategies.find((each) => each === named)
  if (strategy === undefined) throw refuse(`names no strategy (${strategies.join(', ')})`)
  const fusion = fusionMethods.find((each) => each === fusionNamed)
  if ((fusionNamed !== undefined && fusion === undefined) || rest.length > 0)
    throw refuse(`names no fusion (${fusionMethods.join(', ')})`)
  const found: Partial<Record<Condition, string>> = {}
  for (const [key, value] of new URLSearchParams(entry.slice(0, colon))) {
    const condition = conditions.find((each) => each === key)
    if (condition === undefined) throw refuse(`has no condition on ${conditions.join(', ')}`)
    if (found[condition] !== undefined) throw refuse(`says ${condition} twice`)
    if (value === '') throw refuse(`says no ${condition}`)
    found[condition] = value
  }
  if (Object.keys(found).length === 0) throw refuse('has no condition')
  if (found.kind !== undefined && !kinds.some((kind) => kind === found.kind))
    throw refuse(`names no kind (${kinds.join(', ')})`)
  return { conditions: found, strategy, fusion }
}

export interface StreamAllocator extends Allocator {
  /** Judges what is planned from now on. Throws CONFIG, and changes nothing then, for an entry that is none or a strategy that cannot be had. */
  use(settings: StreamSettings): void
  /** Throws what `use` would. */
  check(settings: StreamSettings): void
  readonly settings: StreamSettings
}

/** Throws CONFIG like `use`. */
export function createStreamAllocator({
  settings,
  allocatorOf,
}: {
  readonly settings: StreamSettings
  /** Asked once a strategy and fusion. Throws CONFIG where it cannot be had. */
  allocatorOf(strategy: Strategy, fusion: FusionMethod): Allocator
}): StreamAllocator {
  const allocators = new Map<string, Allocator>()
  let current = routing(settings)

  function allocator(strategy: Strategy, fusion: FusionMethod): Allocator {
    const key = `${strategy}/${fusion}`
    const found = allocators.get(key) ?? allocatorOf(strategy, fusion)
    allocators.set(key, found)
    return found
  }

  function routing(given: StreamSettings) {
    const otherwise = allocator(given.strategy, given.fusion)
    const routes = given.streams.map(parseStream).map(({ conditions, strategy, fusion }) => ({
      conditions: Object.entries(conditions) as [Condition, string][],
      allocator: allocator(strategy, fusion ?? given.fusion),
    }))
    const allocatorFor = (context: AllocationContext) =>
      routes.find((route) => route.conditions.every(([key, value]) => context[key] === value))
        ?.allocator ?? otherwise
    return { settings: given, allocatorFor }
  }

  return {
    plan: (context) => current.allocatorFor(context).plan(context),
    use(next) {
      current = routing(next)
    },
    check(next) {
      routing(next)
    },
    get settings() {
      return current.settings
    },
  }
}
