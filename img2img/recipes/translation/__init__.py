"""What the recipes of translators are made of: the pool of old pictures, augmentation, figures of likeness."""
