"""What the package costs against what one would write without it; each module writes a CSV."""
