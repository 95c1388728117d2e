/** Pushes posts, orders a promotion, and says on standard output how many offsets are left. A child process, because only a process can be killed. */
import { startWorld } from './world.fixture.ts'

export interface ChildOptions {
  readonly folder: string
  readonly posts: number
  readonly rowsAtOnce: number
}

const { folder, posts, rowsAtOnce }: ChildOptions = JSON.parse(process.argv[2] ?? '{}')
const world = await startWorld({
  folder,
  rowsAtOnce,
  storeThrough: (store) => ({
    ...store,
    async insertBlock(block) {
      const outcome = await store.insertBlock(block)
      if (block.revision !== undefined)
        process.stdout.write(`${JSON.stringify({ last: block.last })}\n`)
      return outcome
    },
  }),
})
await world.push(posts)
await world.promotions.promote({
  expert: 'bleak',
  replaces: 'calm',
  force: true,
  by: 'ada',
  note: '',
  days: 28,
})
await world.promotions.settled()
process.stdout.write(`${JSON.stringify(world.promotions.progress())}\n`)
await world.stop()
