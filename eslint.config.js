import { langevinConfig } from '@langevin/eslint-config';

export default langevinConfig({ rootDir: import.meta.dirname });
