// A small file system of its own, in memory or in an image file, that a test may fill or cut the power of.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type DiskKind = 'tmpfs' | 'ext4' | 'xfs' | 'btrfs'

export interface DiskOptions {
  readonly kind: DiskKind
  readonly mib: number
  /** Options of the mount, such as `data=writeback`. */
  readonly mount?: string
}

/**
 * FS_IOC_SHUTDOWN without flushing the journal: what has not reached the device is gone. Whoever uses
 * the disk stands still from just before: a sync that is under way when the journal is given up may
 * end without an error (its transaction is neither running nor committing any more), and a process
 * that power has left cannot tell anybody of it.
 */
const SHUTDOWN = [
  'open(my $directory, "<", $ARGV[0]) or die "open: $!"',
  'my $flags = pack("L", 2)',
  'kill("STOP", $ARGV[1]) or die "kill: $!"',
  'ioctl($directory, 0x8004587d, $flags) or die "ioctl: $!"',
].join('; ')
const BUSY_TRIES_MAX = 50
const BUSY_PAUSE_MS = 50

/** What is still mounted, so that nothing is left even if the test runner gives up in the middle. */
const mounted = new Set<MountedDisk>()

process.once('exit', () => {
  for (const disk of mounted) disk.abandon()
})

export class MountedDisk {
  /** Its root: where the broker's data directory is put. */
  readonly directory: string
  readonly #options: DiskOptions
  readonly #home: string
  #isMounted = false

  /** Why there are no such disks here; undefined if there are. */
  static missing(kind: DiskKind): string | undefined {
    if (process.platform !== 'linux') return 'mounting needs Linux'
    if (process.getuid?.() !== 0) return 'mounting needs root'
    if (kind !== 'tmpfs' && attempt('which', `mkfs.${kind}`).status !== 0) {
      return `mkfs.${kind} is not installed`
    }
    if (kind !== 'tmpfs' && attempt('which', 'perl').status !== 0) return 'perl is not installed'
    return probe(kind)
  }

  static async create(options: DiskOptions): Promise<MountedDisk> {
    const disk = new MountedDisk(options, mkdtempSync(join(tmpdir(), 'tq-disk-')))
    try {
      await mkdir(disk.directory)
      if (options.kind !== 'tmpfs') {
        run('truncate', '-s', `${options.mib}M`, disk.#image)
        run(
          `mkfs.${options.kind}`,
          ...(options.kind === 'ext4' ? ['-q', '-F'] : ['-q', '-f']),
          disk.#image,
        )
      }
      disk.mount()
      return disk
    } catch (error) {
      await disk.remove()
      throw error
    }
  }

  private constructor(options: DiskOptions, home: string) {
    this.#options = options
    this.#home = home
    this.directory = join(home, 'root')
  }

  mount(): void {
    const { kind, mib, mount } = this.#options
    const extra = mount === undefined ? '' : `,${mount}`
    if (kind === 'tmpfs') {
      run('mount', '-t', 'tmpfs', '-o', `size=${mib}M${extra}`, 'tmpfs', this.directory)
    } else {
      run('mount', '-o', `loop${extra}`, this.#image, this.directory)
    }
    this.#isMounted = true
    mounted.add(this)
  }

  /**
   * The power goes: nothing that was not synced reaches the device any more.
   * @param pid Of the process that uses the disk; it stands still from then on, and is to be killed.
   */
  cutPower(pid: number): void {
    run('perl', '-e', SHUTDOWN, this.directory, String(pid))
  }

  /** Nobody may have a file open on it; those who were killed may take a moment to be gone. */
  async unmount(): Promise<void> {
    let tries = 0
    while (this.#isMounted) {
      const { status, stderr } = attempt('umount', this.directory)
      tries += 1
      if (status === 0) this.#isMounted = false
      else if (tries === BUSY_TRIES_MAX) throw new Error(stderr)
      else await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS))
    }
  }

  async remove(): Promise<void> {
    await this.unmount()
    mounted.delete(this)
    await rm(this.#home, { recursive: true, force: true })
  }

  /** Takes it away, whoever may still use it; for the end of the process. */
  abandon(): void {
    attempt('umount', '--lazy', this.directory)
    rmSync(this.#home, { recursive: true, force: true })
  }

  get #image(): string {
    return join(this.#home, 'image')
  }
}

/** Containers may let nobody mount, root or not. */
function probe(kind: DiskKind): string | undefined {
  const script =
    kind === 'tmpfs'
      ? 'd=$(mktemp -d); mount -t tmpfs -o size=1M tmpfs $d && umount $d; code=$?; rmdir $d; exit $code'
      : 'f=$(mktemp); truncate -s 1M $f; l=$(losetup --find --show $f) && losetup -d $l; code=$?; rm $f; exit $code'
  const { status, stderr } = attempt('sh', '-c', script)
  return status === 0 ? undefined : `cannot mount: ${stderr.trim()}`
}

function run(command: string, ...args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

function attempt(
  command: string,
  ...args: readonly string[]
): { readonly status: number | null; readonly stderr: string } {
  return spawnSync(command, args, { encoding: 'utf8' })
}
