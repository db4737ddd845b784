const SIZES = ['none', 'patch', 'minor', 'major'];

/**
 * changesets makes a major release of whatever has a peer that leaves its range, and below 1.0.0 every minor release leaves it: the first
 * new feature would be 1.0.0. All packages here are one group of one version, so each release is as large as the largest note asks for.
 *
 * @template {{ changesets: { releases: { type: string }[] }[], releases: { type: string, oldVersion: string }[] }} Plan
 * @param {Plan} plan
 * @returns {Plan}
 */
export function withoutForcedMajors(plan) {
  const asked = Math.max(0, ...plan.changesets.flatMap(({ releases }) => releases.map(({ type }) => SIZES.indexOf(type))));
  return {
    ...plan,
    releases: plan.releases.map((release) => {
      if (SIZES.indexOf(release.type) <= asked || !release.oldVersion.startsWith('0.')) return release;
      return { ...release, type: SIZES[asked], newVersion: next(release.oldVersion, SIZES[asked]) };
    }),
  };
}

function next(version, type) {
  const [major, minor, patch] = version.split('.').map(Number);
  if (type === 'none') return version;
  return type === 'patch' ? `${major}.${minor}.${patch + 1}` : `${major}.${minor + 1}.0`;
}
