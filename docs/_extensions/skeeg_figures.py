"""Show in the gallery the figures that a script calls ``figure``: skeeg leaves pyplot alone."""

from sphinx_gallery.scrapers import figure_rst


def _get_sg_image_scraper():
    return save_figure


def save_figure(block, block_vars, gallery_conf):
    """Save the figure that a block has made, once, and return the text that shows it."""
    figure = block_vars["example_globals"].pop("figure", None)
    if figure is None:
        return ""
    path = next(block_vars["image_path_iterator"])
    figure.savefig(path, dpi=120)
    return figure_rst([path], gallery_conf["src_dir"])
