/** `12.3 MB`, in powers of ten, as registries and disks count. */
export function showMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
