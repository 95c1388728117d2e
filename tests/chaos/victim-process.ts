/** The runner's side of a pipeline's process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Answer, Command } from './victim/messages.ts'

type Said = Answer['said']

/** How a wait for an answer ended: with it, or with the end of the life or of the process. */
export type Heard<S extends Said> =
  | Extract<Answer, { said: S }>
  | { readonly said: 'crashed' }
  | { readonly said: 'died' }

/** Nothing that a fault may cause takes as long. */
const patienceMs = 120_000

interface Waiting {
  readonly wants: (answer: Answer) => boolean
  readonly resolve: (heard: Answer | { said: 'died' }) => void
  readonly reject: (error: Error) => void
}

export class VictimProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<void>
  #onStruck: (fault: string) => void = () => {}
  #waiting: Waiting | undefined
  /** The life has ended and the next was not opened yet. */
  #crashed = false
  #alive = true
  #failure: string | undefined
  #words = ''

  constructor() {
    const file = fileURLToPath(new URL('./victim/main.js', import.meta.url))
    this.#child = spawn(process.execPath, ['--enable-source-maps', file], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child.stdin?.on('error', () => undefined) // it may die before it reads
    this.#child.stderr?.on('data', (chunk) => {
      this.#words = `${this.#words}${chunk}`.slice(-2_000)
    })
    const heard = this.#listen()
    this.#exited = once(this.#child, 'exit').then(async () => {
      await heard
      this.#alive = false
      this.#waiting?.resolve({ said: 'died' })
    })
  }

  get alive(): boolean {
    return this.#alive
  }

  /** What it wrote last on standard error. */
  get words(): string {
    return this.#words
  }

  /** For faults that strike from now on. */
  set onStruck(listener: (fault: string) => void) {
    this.#onStruck = listener
  }

  /** Resolves when the answer comes, the life ends, or the process dies. Rejects when the process says that something failed, and when it says nothing. */
  async ask<S extends Said>(command: Command, answer: S): Promise<Heard<S>> {
    if (command.do === 'open') this.#crashed = false
    if (this.#failure !== undefined) throw new Error(this.#failure)
    if (this.#crashed) return { said: 'crashed' }
    if (!this.#alive) return { said: 'died' }
    const id = command.do === 'append' ? command.id : undefined
    const asked = this.#wait(
      (given) => given.said === answer && (given.said !== 'appended' || given.id === id),
    )
    this.#child.stdin?.write(`${JSON.stringify(command)}\n`)
    return (await asked) as Heard<S>
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<void> {
    return this.#exited
  }

  /** After a SIGSTOP. */
  wake(): void {
    this.#child.kill('SIGCONT')
  }

  /** Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #wait(wants: Waiting['wants']): Promise<Answer | { said: 'died' }> {
    const limit = AbortSignal.timeout(patienceMs)
    return new Promise((resolve, reject) => {
      this.#waiting = { wants, resolve, reject }
      limit.addEventListener('abort', () => reject(new Error('the pipeline is stuck')))
    })
  }

  async #listen(): Promise<void> {
    const { stdout } = this.#child
    if (stdout === null) return
    for await (const line of createInterface({ input: stdout }))
      this.#take(JSON.parse(line) as Answer)
  }

  #take(answer: Answer): void {
    if (answer.said === 'struck') this.#onStruck(answer.fault)
    if (answer.said === 'crashed') this.#crashed = true
    if (answer.said === 'failed') {
      this.#failure = answer.why
      this.#waiting?.reject(new Error(answer.why))
    }
    if (answer.said === 'crashed' || this.#waiting?.wants(answer)) this.#waiting?.resolve(answer)
  }
}
