/** `environment/team/name`, as commands take it; `-` stands for no environment. */
export function scopedName({ name, environment, team }: { name: string; environment: string | null; team: string | null }): string {
  if (team !== null) return `${environment ?? '-'}/${team}/${name}`;
  return `${environment ?? '-'}/${name}`;
}
