/** A shadow: an expert that runs on a share of the posts, and has no effect on their results. */
import { draw } from '../../infra/position-draw.ts'
import type { Allocator } from '../allocator/allocator.ts'

export interface ShadowOptions {
  readonly expert: string
  /** Of the posts, drawn by their position: 0 to 1. */
  readonly share: number
}

/** Where the expert votes already it is no shadow. */
export function withShadow(allocator: Allocator, { expert, share }: ShadowOptions): Allocator {
  return {
    plan(context) {
      const plan = allocator.plan(context)
      if (plan.experts.includes(expert) || draw('shadow', context.position) >= share) return plan
      return { ...plan, shadows: [...plan.shadows, expert] }
    },
  }
}
