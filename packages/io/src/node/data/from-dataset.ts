import type { Dataset } from '../../datasets/dataset.ts';
import { fromPlanar } from '../../images/image.ts';
import { defineDataSource, type DataSource, type PictureItem } from '../../sources/data-source.ts';

/** A labelled data set in memory as pictures with captions: each item is a group of its own. */
export function sourceOfDataset(
  dataset: Dataset,
  { name, captionOf }: { readonly name: string; readonly captionOf: (className: string) => string },
): DataSource<PictureItem> {
  const notes = Array.from({ length: dataset.length }, (_, i) => {
    const { label } = dataset.item(i);
    const className = dataset.classes?.[label] ?? 'unknown';
    const item = `${name} ${i}`;
    return { caption: captionOf(className), name: item, group: item, attributes: { class: className, label: String(label) } };
  });
  return defineDataSource<PictureItem>({
    name,
    kind: 'picture',
    notes,
    load: (i) => ({ image: fromPlanar(dataset.item(i).image, dataset.imageShape) }),
  });
}

/** `a frog`, `an airplane`. */
export function withArticle(noun: string): string {
  return `${/^[aeiou]/iu.test(noun) ? 'an' : 'a'} ${noun}`;
}
